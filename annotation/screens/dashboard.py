"""The manager's page of a study: how far, how good, how fair, and what to do next.

Decides the order of the panels and where an action leads; refuses to count: selectors.dashboard does. The tables are in
the page without any script; the script draws charts from the same rows and keeps them up to date.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from rest_framework.exceptions import ValidationError

from annotation.api import access
from annotation.api.dashboard import FilterQuery
from annotation.errors import BadInput
from annotation.screens import cells
from annotation.screens.base import MANAGERS, Screen
from annotation.selectors import dashboard
from annotation.selectors.dashboard import FILTERS, Board, Filters, Reading, Shown

TABLES_FIRST = frozenset({"domains", "stopping", "models", "work", "findings"})
"""Panels that are their tables: there is nothing to draw, so nothing is folded away."""


@dataclass(frozen=True, slots=True)
class ShownPanel:
    """A panel ready for the template."""

    shown: Shown
    tables: list[cells.ShownTable]
    is_open: bool
    ignored: str


class Dashboard(Screen):
    roles = MANAGERS
    template = "concord/dashboard.html"
    title = "Dashboard"
    script = "dashboard"
    vendor = ("echarts",)

    @cached_property
    def reading(self) -> Reading:
        return Reading(self.study)

    @cached_property
    def filters(self) -> tuple[Filters, str]:
        """The filters of the address, and what is wrong with them: then none are heeded."""
        asked = {name: value for name, value in self.request.GET.items() if value and name in FILTERS}
        try:
            found = Filters(**access.read(FilterQuery, asked))
            Board(self.reading, found).check()
            return found, ""
        except BadInput as error:
            return Filters(), error.message
        except ValidationError:
            return Filters(), "The days must be dates such as 2026-11-21."

    @cached_property
    def shown(self) -> list[Shown]:
        board = Board(self.reading, self.filters[0])
        return [dashboard.show(panel, board) for panel in dashboard.PANELS.values()]

    def context(self, request: HttpRequest) -> dict[str, Any]:
        filters, problem = self.filters
        summary, *panels = self.shown
        return {
            "summary": summary,
            "tiles": summary.content.tables[0].rows,
            "actions": [(what, how, self.lead(str(target))) for what, how, target in summary.content.tables[1].rows],
            "panels": [_prepare(one, self.address("slides")) for one in panels],
            "filters": filters,
            "problem": problem,
            "query": urlencode(filters.to_json()),
            "domains": [one.name for one in self.reading.domains],
            "people": [(one.pseudonym, one.shown_name, one.role) for one in self.reading.members],
            "as_of": min(one.as_of for one in self.shown),
        }

    def boot(self, request: HttpRequest) -> dict[str, Any]:
        return {
            **super().boot(request),
            "panels": [
                {**one.to_json(), "etag": f'"{one.digest[:32]}"', "seconds": one.panel.seconds} for one in self.shown
            ],
            "filters": self.filters[0].to_json(),
            "most_rows": cells.MOST_ROWS,
            "screens": {name: self.address(name) for name in ("setup", "passes", "releases", "slides")},
        }

    def lead(self, target: str) -> str:
        """Where an action leads: a screen, one pass, or a panel of this page."""
        if target.startswith("#"):
            return target
        if target.startswith("pass:"):
            return reverse("screens:pass", args=[self.study.slug, int(target.removeprefix("pass:"))])
        return self.address(target)

    def address(self, name: str) -> str:
        """The address of another screen of the study."""
        return reverse(f"screens:{name}", args=[self.study.slug])


def _prepare(shown: Shown, slides: str) -> ShownPanel:
    names = {"domain": "domain", "annotator": "person", "since": "first day", "until": "last day"}
    ignored = [names[name] for name in shown.ignored]
    return ShownPanel(
        shown=shown,
        tables=[cells.show(table, slides=slides) for table in shown.content.tables],
        is_open=shown.panel.name in TABLES_FIRST,
        ignored=" and ".join(ignored),
    )
