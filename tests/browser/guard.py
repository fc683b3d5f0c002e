"""Watches pages: what the console says, what the content policy stops, which hosts are asked, which answers fail.

Decides what no page of ours may do. Refuses to know the pages; a test says beforehand which refusals it provokes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response

_REPORTS = """addEventListener('securitypolicyviolation', (event) => console.error(
  `CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`))"""
_FAILED_LOAD = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")


@dataclass
class Expected:
    """An answer that a test provokes: its status and a part of its address."""

    status: int
    path: str
    seen: int = 0


class Guard:
    """What the pages of one test did that they must not."""

    def __init__(self, *, host: str) -> None:
        self._host = host
        self._problems: list[str] = []
        self._expected: list[Expected] = []
        self._forgiven: list[str] = []
        self._is_offline_fine = False

    def forgive(self, part: str) -> None:
        """Console messages that hold `part` are not ours: a hint of the browser about a page of Django's own."""
        self._forgiven.append(part)

    def expect(self, status: int, path: str) -> None:
        """Answers with `status` from addresses that hold `path` are part of this test, and one must come."""
        self._expected.append(Expected(status, path))

    def allow_offline(self) -> None:
        """This test cuts the connection: requests that reach nothing are no problem."""
        self._is_offline_fine = True

    def watch(self, context: BrowserContext) -> None:
        context.add_init_script(_REPORTS)
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self._problems.append(f"Uncaught: {error.error}"))
        context.on("request", self._on_request)
        context.on("response", self._on_response)

    @property
    def problems(self) -> list[str]:
        """Sentences; empty when all was well."""
        silent = [f"No answer {one.status} came from {one.path}." for one in self._expected if not one.seen]
        return self._problems + silent

    def take(self) -> list[str]:
        """What was seen so far, once each; it is forgotten."""
        found, self._problems = list(dict.fromkeys(self._problems)), []
        return found

    def check(self) -> None:
        """Fail with what was seen, and forget it."""
        found, self._problems = self.problems, []
        self._expected.clear()
        assert not found, "The page did what it must not:\n" + "\n".join(dict.fromkeys(found))

    def _on_console(self, message: ConsoleMessage) -> None:
        place = message.location.get("url", "")
        failed = _FAILED_LOAD.match(message.text)
        if failed and self._is_expected(int(failed[1]), place):
            return
        if any(part in message.text for part in self._forgiven):
            return
        if self._is_offline_fine and "net::ERR_" in message.text:
            return
        # The console's own words for a failed answer come beside ours: once is enough.
        if failed is None or int(failed[1]) < 400:
            self._problems.append(f"Console ({message.type}): {message.text} {place}")

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != self._host:
            self._problems.append(f"Request to another host: {request.url}")

    def _on_response(self, response: Response) -> None:
        if response.status < 400:
            return
        if not self._is_expected(response.status, response.url, count=True):
            self._problems.append(f"Answer {response.status}: {response.request.method} {response.url}")

    def _is_expected(self, status: int, url: str, *, count: bool = False) -> bool:
        for one in self._expected:
            if one.status == status and one.path in url:
                one.seen += count
                return True
        return False
