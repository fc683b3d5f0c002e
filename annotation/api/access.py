"""Who reaches a view of a study: its active members, in the roles the view names for each method.

Decides that everything else is 404, and that a page answers only for the person it was made for; refuses to know what
the view does. Role and study come from one query.
"""

from contextlib import nullcontext, suppress
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.api.errors import NOT_FOUND
from annotation.api.pagination import Pages
from annotation.api.schema import Described
from annotation.errors import AnotherPerson, Missing
from annotation.models import Membership, Study
from annotation.selectors import studies
from annotation.states import Role

ANYONE = frozenset(Role)
WORKERS = frozenset({Role.ANNOTATOR, Role.ADJUDICATOR})
MANAGERS = frozenset({Role.MANAGER})
PERSON_HEADER = "X-Concord-Person"
"""For whom a page was made, as `person_of` names it; programs leave it out."""


def person_of(member: Membership) -> str:
    """One person in one study, as pages and what is kept in a browser are marked."""
    return f"{member.study.slug}.{member.pseudonym}"


class StudyView(APIView):
    """A view below a study. `roles` says for each method who may call it; the rest see nothing there."""

    roles: ClassVar[dict[str, frozenset[Role]]] = {}
    metadata_class = None
    schema = Described()
    page_key = "number"
    page_order = "-number"
    member: Membership
    study: Study

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.member = self._enter(request, slug=kwargs["slug"])
        self.study = self.member.study
        method = (request.method or "").lower()
        allowed = self.roles.get("get" if method == "head" else method)
        if allowed is not None and self.member.role not in allowed:
            raise Missing(NOT_FOUND)

    def _enter(self, request: Request, *, slug: str) -> Membership:
        """The caller's membership; AnotherPerson where a page was made for somebody else, who has signed out since."""
        wanted = request.headers.get(PERSON_HEADER)
        member = None
        with suppress(Missing) if wanted else nullcontext():
            member = studies.membership(user=request.user, slug=slug)
        if member is None or wanted not in (None, person_of(member)):
            raise AnotherPerson("This page was opened by another person. Sign in again as that one, or load it anew.")
        return member

    def read_body(self, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """The request's body in the named shape, or an error that names each field that does not hold."""
        return read(shape, self.request.data)

    def read_query(self, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """The query in the named shape."""
        return read(shape, self.request.query_params)

    def answer_page(self, rows: QuerySet[Any], shape: type[serializers.Serializer[Any]]) -> Response:
        """One page of `rows`; the view has read its query as a `PageQuery`."""
        pages = Pages()
        found = pages.paginate_queryset(rows, self.request, view=self)
        return pages.get_paginated_response(self.show(shape, found, many=True))

    def show(self, shape: type[serializers.Serializer[Any]], value: Any, *, many: bool = False) -> Any:
        """`value` in the named shape."""
        return shape(value, many=many, context={"study": self.study, "member": self.member}).data


def read(shape: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    """`data` validated as `shape`."""
    reader = shape(data=data)
    reader.is_valid(raise_exception=True)
    return dict(reader.validated_data)


class Always(BaseContentNegotiation):
    """Takes the first renderer whatever `Accept` says: for files and pictures, whose type is fixed."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0] if parsers else None

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type
