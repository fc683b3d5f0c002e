"""The one shape of an error: {"error": {"code", "message", "details"}}.

Decides how every exception that can leave a view looks outside; refuses to know which view raised it.
"""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions, status
from rest_framework.response import Response

from annotation.errors import ConcordError, Missing, TryAgain
from learning.slides.errors import SlideError

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = "1"
NOT_FOUND = "There is nothing here, or it is not yours."
_CODES = {
    status.HTTP_400_BAD_REQUEST: "bad-input",
    status.HTTP_401_UNAUTHORIZED: "not-signed-in",
    status.HTTP_403_FORBIDDEN: "refused",
    status.HTTP_404_NOT_FOUND: "missing",
    status.HTTP_405_METHOD_NOT_ALLOWED: "method-not-allowed",
    status.HTTP_415_UNSUPPORTED_MEDIA_TYPE: "unsupported-media-type",
    status.HTTP_429_TOO_MANY_REQUESTS: "too-many-requests",
}


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. None where nobody foresaw it: logged, and answered with 500."""
    if isinstance(error, ConcordError):
        return _concord(error)
    if isinstance(error, SlideError):
        # Its text holds the path of the file, which never leaves the server.
        logger.warning("A picture could not be made: %s", error)
        return _answer(422, "unreadable-slide", "This part of the slide cannot be read.")
    if isinstance(error, OperationalError | InterfaceError):
        logger.warning("The database did not answer: %s", error)
        return _concord(TryAgain("The database does not answer at the moment. Try again."))
    if isinstance(error, Http404):
        return _concord(Missing(NOT_FOUND))
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, exceptions.APIException):
        return _framework(error)
    return None


def server_error(request: HttpRequest) -> JsonResponse:
    """The answer to an unforeseen error: the same shape, and nothing about the inside."""
    message = "Something went wrong on the server. It has been logged."
    return JsonResponse({"error": {"code": "server-error", "message": message, "details": {}}}, status=500)


def _concord(error: ConcordError) -> Response:
    response = _answer(error.status, error.code, error.message, error.details)
    if isinstance(error, TryAgain):
        response["Retry-After"] = RETRY_AFTER_SECONDS
    return response


def _framework(error: exceptions.APIException) -> Response:
    code = _CODES.get(error.status_code, "error")
    if isinstance(error, exceptions.ValidationError):
        response = _answer(error.status_code, code, _sentence(error.detail), {"fields": error.detail})
    else:
        response = _answer(error.status_code, code, str(error.detail))
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        response["Retry-After"] = str(int(wait) + 1)
    return response


def _sentence(detail: Any, place: str = "") -> str:
    """All problems of a body or query, each with the field it is about."""
    if isinstance(detail, dict):
        return " ".join(
            _sentence(value, place if key == "non_field_errors" else f"{place}{'.' if place else ''}{key}")
            for key, value in detail.items()
        )
    if isinstance(detail, list):
        return " ".join(_sentence(item, place) for item in detail)
    return f"{place}: {detail}" if place else str(detail)


def _answer(code: int, name: str, message: str, details: Any = None) -> Response:
    return Response({"error": {"code": name, "message": message, "details": details or {}}}, status=code)
