"""Pages of long lists by the last key seen: no counting, no offset, the same cost on every page.

Decides the shape of a page and how a place in a list is named; refuses orderings chosen by the caller.
"""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api.shapes import Shape
from annotation.errors import BadInput

LARGEST_PAGE = 500
DEFAULT_PAGE = 100


class PageQuery(Shape):
    """The query of every list; lists with filters add theirs."""

    after = serializers.CharField(required=False, max_length=64, help_text="The `next` of a page.")
    size = serializers.IntegerField(
        required=False, default=DEFAULT_PAGE, min_value=1, max_value=LARGEST_PAGE, help_text="Rows on a page."
    )


class Pages(BasePagination):
    """`?size=` rows after the row whose public key is `?after=`.

    The view names `page_key` (the field that names a row outside) and `page_order` (a unique field, "-"
    for descending), and has validated its query as a `PageQuery`. The key is looked up within the view's
    own rows, so a page can't reach beyond them.
    """

    next: str | None = None

    def paginate_queryset(self, queryset: QuerySet[Any], request: Request, view: Any = None) -> list[Any]:
        order = view.page_order
        field, rows = order.lstrip("-"), queryset.order_by(order)
        if after := request.query_params.get("after"):
            place = _place(queryset, key=view.page_key, value=after, field=field)
            rows = rows.filter(**{f"{field}__{'lt' if order.startswith('-') else 'gt'}": place})
        size = int(request.query_params.get("size") or DEFAULT_PAGE)
        found = list(rows[: size + 1])
        self.next = str(getattr(found[size - 1], view.page_key)) if len(found) > size else None
        return found[:size]

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.next, "results": data})


def page_of(shape: type[serializers.Serializer[Any]]) -> type[serializers.Serializer[Any]]:
    """The shape of a page of `shape`, for the schema."""
    fields = {
        "next": serializers.CharField(allow_null=True, help_text="`after` of the next page, if there is one."),
        "results": shape(many=True),
    }
    return type(f"{shape.__name__}Page", (serializers.Serializer,), fields)


def _place(queryset: QuerySet[Any], *, key: str, value: str, field: str) -> Any:
    """The sort value of the row named `value`; BadInput where the list has no such row."""
    try:
        place = queryset.filter(**{key: value}).values_list(field, flat=True).first()
    except ValueError:
        place = None
    if place is None:
        raise BadInput("'after' names no row of this list; take it from the 'next' of a page.")
    return place
