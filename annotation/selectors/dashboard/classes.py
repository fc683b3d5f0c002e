"""How the settled regions fall on the classes, and what the quotas still want.

Decides the columns; the counts are those of `quotas`.
"""

from annotation.selectors.dashboard import quotas
from annotation.selectors.dashboard.board import Board
from annotation.selectors.dashboard.panel import Content, Panel, Table, columns


def _read(board: Board) -> Content:
    classes = quotas.read(board)
    total = sum(one.settled for one in classes)
    if not classes:
        return Content([], empty="The study has no published classes yet. Name and publish them in the set-up.")
    notes = []
    if not total:
        notes.append("Nothing is settled yet: the bars grow as people answer.")
    if left := quotas.count_unnamed(board):
        notes.append(f"{left} settled regions have a class of an older protocol without an exact heir in this one.")
    if board.filters.domain:
        notes.append("Quotas are of the whole study, so they are left out under a domain.")
    described = columns(
        ("code", "Code"), ("name", "Class"), ("settled", "Settled", "count"), ("share", "Share", "share"),
        ("consensus", "By consensus", "count"), ("adjudicated", "By an adjudicator", "count"),
        ("otherwise", "By a manager or a mapping", "count"), ("quota", "Quota", "count"),
        ("missing", "Missing", "count"),
    )  # fmt: skip
    rows = [
        [
            one.code, one.name, one.settled, round(one.settled / total, 4) if total else None, one.consensus,
            one.adjudicated, one.otherwise, one.quota or None, one.missing if one.quota else None,
        ]
        for one in classes
    ]  # fmt: skip
    return Content(tables=[Table("classes", "Settled regions by class", described, rows)], notes=notes)


PANEL = Panel(
    name="classes",
    title="Class balance",
    meaning="Settled regions of each class, how they were decided, and the quota where the study has one.",
    read=_read,
    filters=frozenset({"domain"}),
)
