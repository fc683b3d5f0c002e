"""The dashboard over HTTP: each panel as JSON that a browser asks for again cheaply, and its tables as CSV.

Shapes and methods only; what a panel says is decided in selectors.dashboard.
"""

import csv
import io
from typing import Any

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api import schema
from annotation.api.access import MANAGERS, Always, StudyView
from annotation.api.shapes import Shape
from annotation.errors import Missing
from annotation.releasing import tables
from annotation.selectors import dashboard
from annotation.selectors.dashboard import FILTERS, Board, Filters, Reading, Shown, Table

CACHE_CONTROL = "private, no-cache"


class FilterQuery(Shape):
    domain = serializers.CharField(required=False, default="", max_length=200, allow_blank=True)
    annotator = serializers.CharField(
        required=False, default="", max_length=20, allow_blank=True, help_text="Pseudonym of a member."
    )
    since = serializers.DateField(required=False, default=None, help_text="First day, UTC.")
    until = serializers.DateField(required=False, default=None, help_text="Last day, UTC.")


class CsvQuery(FilterQuery):
    table = serializers.SlugField(required=False, default="", max_length=40, help_text="Of the panel; else its first.")


class ColumnShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    kind = serializers.CharField(
        help_text="text, count, share, number, day, time, seconds or slides (of the domain named)."
    )


class TableShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    columns = ColumnShape(many=True)
    rows = serializers.ListField(
        child=serializers.ListField(child=serializers.JSONField(allow_null=True)),
        help_text="Cells in the order of the columns.",
    )


class PanelShape(serializers.Serializer[Any]):
    """What a panel says. Its chart, its table and its CSV are made from the same rows."""

    panel = serializers.CharField()
    title = serializers.CharField()
    meaning = serializers.CharField()
    as_of = serializers.DateTimeField(help_text="The counts may be some seconds old.")
    filters = serializers.DictField(child=serializers.CharField(), help_text="Those that were heeded.")
    ignored = serializers.ListField(child=serializers.CharField(), help_text="Filters that do not apply here.")
    tables = TableShape(many=True)
    notes = serializers.ListField(child=serializers.CharField())
    empty = serializers.CharField(help_text="What to do next where there is nothing to show.")
    data = serializers.DictField()  # type: ignore[assignment]


class PanelView(StudyView):
    """A panel under the filters of the query, which are checked even where it heeds none of them."""

    def read_panel(self, name: str, query: dict[str, Any]) -> Shown:
        panel = dashboard.find(name)
        filters = Filters(**{key: query[key] for key in FILTERS})
        board = Board(Reading(self.study), filters)
        board.check()
        return dashboard.show(panel, board)


class DashboardPanel(PanelView):
    roles = {"get": MANAGERS}

    @schema.reads(PanelShape, query=FilterQuery, summary="A panel of the dashboard; 304 where nothing has changed")
    def get(self, request: Request, slug: str, panel: str) -> Response:
        shown = self.read_panel(panel, self.read_query(FilterQuery))
        etag = f'"{shown.digest[:32]}"'
        known = etag in request.headers.get("If-None-Match", "")
        response = Response(status=304) if known else Response(self.show(PanelShape, shown.to_json()))
        response["ETag"] = etag
        response["Cache-Control"] = CACHE_CONTROL
        return response


class DashboardCsv(PanelView):
    roles = {"get": MANAGERS}
    content_negotiation_class = Always

    @schema.sends_file("text/csv", query=CsvQuery, summary="A table of a panel as CSV")
    def get(self, request: Request, slug: str, panel: str) -> HttpResponse:
        query = self.read_query(CsvQuery)
        table = _choose_table(self.read_panel(panel, query).content.tables, query["table"])
        name = f"{self.study.slug}-{panel}{f'-{table.name}' if table else ''}.csv"
        response = HttpResponse(write_csv(table), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = CACHE_CONTROL
        return response


def _choose_table(tables: list[Table], name: str) -> Table | None:
    """The table of that name, or the first; None where the panel has nothing to show yet."""
    if not tables or not name:
        return next(iter(tables), None)
    found = next((one for one in tables if one.name == name), None)
    if found is None:
        raise Missing(f"The panel has no table '{name}'; it has {', '.join(one.name for one in tables)}.")
    return found


def write_csv(table: Table | None) -> str:
    """The table with the names of its columns first; nothing where there is none."""
    if table is None:
        return ""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.name for column in table.columns])
    writer.writerows([tables.guard(cell) if isinstance(cell, str) else cell for cell in row] for row in table.rows)
    return text.getvalue()
