"""How views are described in the OpenAPI document: their answers, and the errors each kind may give.

Decides the wording of the schema; refuses to know any view.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers

from annotation.api.shapes import ErrorShape


class Described(AutoSchema):
    """Names an operation by its method and view, which are unique, instead of by its path."""

    def get_operation_id(self) -> str:
        view = type(self.view).__name__.removesuffix("View")
        return f"{self.method.lower()}{view}"


View = TypeVar("View", bound=Callable[..., Any])
Answer = type[serializers.Serializer[Any]] | serializers.Serializer[Any]

_ERRORS = {
    400: "What was sent does not hold; `details.fields` names each field.",
    401: "Not signed in.",
    403: "Your role does not allow this.",
    404: "There is nothing here, or it is not yours.",
    409: "The row has moved on, or a lease was lost; what was entered is kept as a draft.",
    415: "The body is not JSON.",
    422: "This part of the slide cannot be read.",
    503: "All rows were locked for a moment, or the database is away. Try again.",
}
_READS = (400, 401, 404, 503)
_WRITES = (400, 401, 403, 404, 409, 415, 503)


def reads(answer: Answer, *, query: Answer | None = None, summary: str) -> Callable[[View], View]:
    """Describe a GET that answers with `answer`."""
    return extend_schema(
        summary=summary,
        parameters=[query] if query else [],
        responses={200: answer, **_errors(_READS)},
    )


def writes(
    answer: Answer | None,
    *,
    body: Answer | dict[str, Answer | OpenApiTypes] | None = None,
    query: Answer | None = None,
    status: int = 200,
    summary: str,
) -> Callable[[View], View]:
    """Describe a POST, PUT or DELETE that takes `body` or `query`; without `answer` it answers 204."""
    done = {status: answer} if answer else {204: OpenApiResponse(description="Done.")}
    parameters = [query] if query else []
    return extend_schema(summary=summary, request=body, parameters=parameters, responses={**done, **_errors(_WRITES)})


def sends_file(media_type: str, *, query: Answer | None = None, summary: str) -> Callable[[View], View]:
    """Describe a GET that answers with bytes."""
    return extend_schema(
        summary=summary,
        parameters=[query] if query else [],
        responses={
            (200, media_type): OpenApiTypes.BINARY,
            304: OpenApiResponse(description="The copy you hold is the newest."),
            **_errors((*_READS, 422)),
        },
    )


def _errors(codes: tuple[int, ...]) -> dict[int, OpenApiResponse]:
    return {code: OpenApiResponse(ErrorShape, description=_ERRORS[code]) for code in codes}
