"""How a cell of a dashboard's table reads: digits, units, a dash for what is not known.

Decides the same as `cells.js` does when a table is drawn again; refuses to know what a table is about.
"""

from dataclasses import dataclass
from typing import get_args
from urllib.parse import urlencode

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from annotation.selectors.dashboard import Cell, Column, Kind, Table

MOST_ROWS = 200
"""Rows of one table on the page; its CSV has all."""

_DASH = "–"
_NUMBER, _MOMENT = mark_safe(' class="number"'), mark_safe(' class="moment"')
_CLASSES = dict.fromkeys(get_args(Kind), _NUMBER) | {
    "text": mark_safe(""),
    "slides": mark_safe(""),
    "day": _MOMENT,
    "time": _MOMENT,
}


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table ready for a template."""

    name: str
    title: str
    head: SafeString
    rows: list[SafeString]
    left_out: int


def show(table: Table, *, slides: str = "") -> ShownTable:
    """The first rows as text, each cell with the kind of its column; `slides`: the address of the list of slides."""
    rows = [_mark_up(row, table.columns, slides) for row in table.rows[:MOST_ROWS]]
    head = format_html_join("", '<th scope="col"{}>{}</th>', [(_CLASSES[one.kind], one.label) for one in table.columns])
    return ShownTable(table.name, table.title, head, rows, max(len(table.rows) - MOST_ROWS, 0))


def _mark_up(row: list[Cell], columns: tuple[Column, ...], slides: str) -> SafeString:
    """The row's cells as HTML: a template would take ten times as long over a page of tables."""
    first, *others = [
        (_CLASSES[column.kind], _lead(cell, slides) if column.kind == "slides" and slides else read(cell, column.kind))
        for cell, column in zip(row, columns, strict=True)
    ]
    return format_html('<th scope="row"{}>{}</th>{}', *first, format_html_join("", "<td{}>{}</td>", others))


def _lead(domain: Cell, slides: str) -> SafeString:
    return format_html('<a href="{}?{}">{}</a>', slides, urlencode({"domain": domain}), domain)


def read(cell: object, kind: Kind) -> str:
    """One cell as people read it."""
    if cell is None or cell == "":
        return _DASH if cell is None or kind not in ("text", "slides") else ""
    if kind == "count" and isinstance(cell, int | float):
        return f"{cell:,.0f}"
    if kind == "share" and isinstance(cell, int | float):
        return f"{cell * 100:.1f} %"
    if kind == "number" and isinstance(cell, int | float):
        return f"{cell:.2f}"
    if kind == "seconds":
        return f"{cell} s"
    if kind == "time":
        return f"{str(cell)[:16].replace('T', ' ')} UTC"
    return str(cell)
