"""Consistency passes, and the findings of one of them.

Decides what the two pages start with; the findings themselves come from the API.
"""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from annotation import sidebyside
from annotation.api.passes import effects
from annotation.models import ConsistencyPass
from annotation.screens.base import Screen
from annotation.selectors import consistency, findings, ways
from annotation.selectors import passes as reads
from annotation.states import FindingState, PassState, Severity


class Passes(Screen):
    template = "concord/passes.html"
    title = "Consistency"
    script = "passes"

    def context(self, request: HttpRequest) -> dict[str, Any]:
        found = consistency.recent_passes(self.study, before=page_of(request))
        shown = found[: consistency.PAGE]
        newest = next((row for row in shown if row.state == PassState.DONE), None)
        return {
            "rows": shown,
            "is_first_page": not page_of(request),
            "older": shown[-1].number if len(found) > consistency.PAGE else None,
            "newest": newest,
            "moved": reads.moves_since(newest) if newest and not page_of(request) else None,
        }

    def boot(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().boot(request), "screens": screens_of(self)}


class Pass(Screen):
    template = "concord/pass.html"
    title = "Consistency pass"
    script = "pass"
    row: ConsistencyPass

    def enter(self, request: HttpRequest, **kwargs: Any) -> None:
        super().enter(request, **kwargs)
        self.row = consistency.consistency_pass(study=self.study, number=kwargs["number"])

    def context(self, request: HttpRequest) -> dict[str, Any]:
        return {
            "title": f"Consistency pass {self.row.number}",
            "row": self.row,
            "pairs": ways.pairs(self.row),
            "differing": self._differing(request),
            "release": getattr(self.row, "release", None),
            "domains": reads.domains(self.row),
            "rules": findings.rules(self.row),
            "states": FindingState.choices,
            "severities": Severity.choices,
        }

    def _differing(self, request: HttpRequest) -> dict[str, Any] | None:
        """The regions on which the two ways of the address differ."""
        first, _, second = request.GET.get("differ", "").partition(",")
        if first not in sidebyside.NAMES or second not in sidebyside.NAMES:
            return None
        found = ways.differing(self.row, first=first, second=second)
        names = (sidebyside.NAMES[first], sidebyside.NAMES[second])
        return {"names": names, "items": found, "is_cut": len(found) == ways.MOST_REGIONS}

    def boot(self, request: HttpRequest) -> dict[str, Any]:
        released = getattr(self.row, "release", None)
        return {
            **super().boot(request),
            "screens": screens_of(self),
            "pass": {
                "number": self.row.number,
                "state": self.row.state,
                "release": released.number if released else None,
            },
            "fixes": effects(),
        }


def screens_of(screen: Screen) -> str:
    """The address below which the study's screens are."""
    return reverse("screens:dashboard", args=[screen.study.slug])


def page_of(request: HttpRequest) -> int | None:
    """The number before which the page of a list begins; None for the first page."""
    asked = request.GET.get("before", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else None
