"""The dashboard's panels: what a manager sees of a study, each from a fixed number of queries.

Decides which panels there are and what an unchanged one is; refuses everybody's questions but a manager's, whose page
and API ask here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from annotation import canonical
from annotation.errors import Missing
from annotation.selectors.dashboard import (
    agreement,
    classes,
    coverage,
    domains,
    findings,
    learning_curve,
    models,
    people,
    progress,
    reliability,
    stopping,
    summary,
    throughput,
    work,
)
from annotation.selectors.dashboard.board import Board, Reading
from annotation.selectors.dashboard.filters import FILTERS, Filters
from annotation.selectors.dashboard.panel import Cell, Column, Content, Kind, Panel, Table

__all__ = [
    "FILTERS",
    "PANELS",
    "Board",
    "Cell",
    "Column",
    "Content",
    "Filters",
    "Kind",
    "Panel",
    "Reading",
    "Shown",
    "Table",
    "find",
    "show",
]

PANELS: dict[str, Panel] = {
    panel.name: panel
    for panel in (
        summary.PANEL,
        progress.PANEL,
        throughput.PANEL,
        classes.PANEL,
        coverage.PANEL,
        domains.PANEL,
        agreement.PANEL,
        reliability.PANEL,
        people.PANEL,
        stopping.PANEL,
        learning_curve.PANEL,
        models.PANEL,
        work.PANEL,
        findings.PANEL,
    )
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A panel as it is now. `digest` is the same as long as nothing in it has changed, whenever it was asked for."""

    panel: Panel
    content: Content
    filters: Filters
    ignored: list[str]
    as_of: datetime
    digest: str

    def to_json(self) -> dict[str, Any]:
        return {
            "panel": self.panel.name,
            "title": self.panel.title,
            "meaning": self.panel.meaning,
            "as_of": self.as_of,
            "filters": self.filters.to_json(),
            "ignored": self.ignored,
            **self.content.to_json(),
        }


def find(name: str) -> Panel:
    """The panel of that name; Missing for every other one."""
    if name not in PANELS:
        raise Missing(f"There is no panel '{name[:40]}'; known are {', '.join(PANELS)}.")
    return PANELS[name]


def show(panel: Panel, board: Board) -> Shown:
    """The panel under those of the board's filters that it heeds; the others are named as ignored."""
    narrowed = board.narrowed(panel.filters)
    content = panel.read(narrowed)
    ignored = sorted(board.filters.to_json().keys() - narrowed.filters.to_json().keys())
    digest = canonical.digest([content.to_json(), narrowed.filters.to_json(), ignored])
    return Shown(panel, content, narrowed.filters, ignored, narrowed.as_of, digest)
