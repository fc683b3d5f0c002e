"""A person's connection to Concord's HTTP API: keeps it open, and repeats what got no answer.

Decides what is worth repeating (no answer, the server's own errors, "try again"); refuses to know what is sent.
Repeating is harmless, as every writing call carries the same idempotency key or lease token again.
"""

import http.client
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PATIENCE_SECONDS = 120.0
TIMEOUT_SECONDS = 20.0
FIRST_PAUSE_SECONDS, LAST_PAUSE_SECONDS = 0.1, 2.0
_REPEATED = {429, 500, 502, 503, 504}


class ApiError(Exception):
    """An answer that repeating would not change."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, media type and bytes of a response."""

    status: int
    kind: str
    body: bytes
    retry_after: str = ""


class Client:
    """One person's HTTP connection. Not for several threads at once. `repeats` counts what was sent again."""

    def __init__(self, *, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._connection: http.client.HTTPConnection | None = None
        self._token = ""
        self.repeats = 0

    def sign_in(self, *, username: str, password: str) -> None:
        """Fetch the token that all later calls send."""
        found = self.post("/api/token/", {"username": username, "password": password})
        self._token = str(found["token"])

    def get(self, path: str) -> Any:
        """A JSON value."""
        return _parse(self._insist("GET", path, None))

    def get_image(self, path: str) -> bytes:
        """The bytes of a picture; ApiError where it is none."""
        answer = self._insist("GET", path, None)
        if not answer.kind.startswith("image/"):
            raise ApiError(answer.status, "no-image", f"{path} is {answer.kind}")
        return answer.body

    def post(self, path: str, value: dict[str, Any]) -> Any:
        """Send a JSON value and return the answer's; None where it is empty."""
        return _parse(self._insist("POST", path, json.dumps(value).encode()))

    def close(self) -> None:
        """Close the connection; the next call opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _insist(self, method: str, path: str, body: bytes | None) -> Answer:
        deadline = time.monotonic() + PATIENCE_SECONDS
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                answer = self._send(method, path, body)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if time.monotonic() > deadline:
                    raise ApiError(0, "no-answer", f"{method} {path}: {error}") from error
            else:
                if answer.status not in _REPEATED or time.monotonic() > deadline:
                    return _check(answer)
                pause = max(pause, float(answer.retry_after or 0))
            self.repeats += 1
            time.sleep(pause)
            pause = min(LAST_PAUSE_SECONDS, pause * 1.6)

    def _send(self, method: str, path: str, body: bytes | None) -> Answer:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_SECONDS)
        headers = {"Accept": "*/*"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._token:
            headers["Authorization"] = f"Token {self._token}"
        self._connection.request(method, path, body=body, headers=headers)
        response = self._connection.getresponse()
        content = response.read()
        wait = response.headers.get("Retry-After", "")
        return Answer(response.status, response.headers.get_content_type(), content, wait if wait.isdigit() else "")


def _parse(answer: Answer) -> Any:
    return json.loads(answer.body) if answer.body else None


def _check(answer: Answer) -> Answer:
    """The answer; ApiError with the API's own words where it is an error."""
    if answer.status < 400:
        return answer
    try:
        error = json.loads(answer.body)["error"]
        raise ApiError(answer.status, str(error["code"]), str(error["message"]))
    except (ValueError, KeyError, TypeError):
        raise ApiError(answer.status, "unknown", answer.body[:200].decode(errors="replace")) from None
