"""A threaded web server in the test's process: the real middleware and static files on the test database.

Decides how it is started and when it is at rest; refuses to know what is served.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.test import override_settings


class Site:
    """The whole site on a free port of this machine."""

    def __init__(self) -> None:
        # Looked up when asked for: nothing is collected for a test.
        with override_settings(WHITENOISE_AUTOREFRESH=True):
            self._app = get_wsgi_application()
        self._busy = 0
        self._at_rest = threading.Condition()
        self._server = ThreadedWSGIServer(("127.0.0.1", 0), _QuietHandler)
        self._server.set_app(self._serve)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def wait_at_rest(self, *, seconds: float = 20) -> None:
        """Return when no request is being answered, so that rows can be taken away."""
        with self._at_rest:
            assert self._at_rest.wait_for(lambda: self._busy == 0, timeout=seconds), "A request does not end."

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _serve(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self._count(1)
        try:
            return _Answer(self._app(environ, start_response), ended=lambda: self._count(-1))
        except BaseException:
            self._count(-1)
            raise

    def _count(self, change: int) -> None:
        with self._at_rest:
            self._busy += change
            self._at_rest.notify_all()


class _Answer:
    """A response that tells when it has been sent."""

    def __init__(self, response: Iterable[bytes], *, ended: Callable[[], None]) -> None:
        self._response, self._ended = response, ended

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._response)

    def close(self) -> None:
        try:
            if hasattr(self._response, "close"):
                self._response.close()
        finally:
            self._ended()


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what went wrong is the guard's to find."""
