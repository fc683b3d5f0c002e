"""What a panel of the dashboard is: tables of plain values, from which its chart, its table and its CSV are all made.

Decides the form, so that a number can't differ between chart and table; refuses to know what is counted.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from annotation.selectors.dashboard.board import Board

Kind = Literal["text", "count", "share", "number", "day", "time", "seconds", "slides"]
Described = tuple[str, str, Kind] | tuple[str, str]
Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `name` in JSON and CSV, `label` on screens. Shares are of one, times ISO 8601 in UTC.

    A cell of the kind `slides` is the name of a domain, which leads to its slides.
    """

    name: str
    label: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells in the order of the columns."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: list[list[Cell]]


@dataclass(frozen=True, slots=True)
class Content:
    """What a panel says now. `empty` tells what to do next where there is nothing to show."""

    tables: list[Table]
    notes: list[str] = field(default_factory=list)
    empty: str = ""
    data: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def table(self, name: str) -> Table | None:
        """The table of that name, if there is one."""
        return next((one for one in self.tables if one.name == name), None)


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the dashboard. `filters` are those it heeds; `seconds` is how often a page asks for it."""

    name: str
    title: str
    meaning: str
    read: "Callable[[Board], Content]"
    filters: frozenset[str] = frozenset()
    seconds: int = 15


def columns(*described: Described) -> tuple[Column, ...]:
    """Columns from (name, label[, kind])."""
    return tuple(Column(*one) for one in described)
