"""Sessions as Django keeps them, but for one word less: an answer to one that is over takes no cookie away.

Decides what a refusal (401) says about cookies. Requests of an old tab may be answered after somebody has signed in
again in a new one: the order to forget the cookie would then sign them out again.
"""

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse


class KeptSessions(SessionMiddleware):
    """Middleware: Django's own, whose refusals leave the browser's session as it is. Signing out still ends it."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response = super().process_response(request, response)
        if response.status_code == 401:
            response.cookies.pop(settings.SESSION_COOKIE_NAME, None)
        return response
