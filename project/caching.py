"""What browsers keep of answers: nothing, unless the view says otherwise.

Decides the default for pages and JSON, so that after signing out Back shows nobody's work; refuses to know what an
answer holds. Files of the interface are answered before this, and may be kept.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class KeepNothing:
    """Middleware: `Cache-Control: private, no-store` where no view has said how long an answer may be kept."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response
