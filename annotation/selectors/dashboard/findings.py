"""What the newest consistency pass found and nobody has decided over yet, by rule.

Decides which pass is looked at; refuses to decide over findings: that is the screen of the pass.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from annotation.models import ConsistencyPass, Finding
from annotation.rules import RULES
from annotation.selectors.dashboard.board import Board
from annotation.selectors.dashboard.panel import Cell, Content, Panel, Table, columns
from annotation.states import FindingState, PassState, Severity


@dataclass(frozen=True, slots=True)
class OpenFindings:
    """The newest pass (None: there was none) and its open findings by (severity, rule)."""

    number: int | None
    state: str
    position: int
    counts: dict[tuple[str, str], int]

    def count(self, severity: Severity) -> int:
        """How many of this severity are open."""
        return sum(count for (own, _), count in self.counts.items() if own == severity)


def read_open(board: Board) -> OpenFindings:
    """What is open in the newest pass."""
    return board.reading.once("findings", lambda: _read_open(board))


def _read_open(board: Board) -> OpenFindings:
    last = ConsistencyPass.objects.filter(study=board.study).order_by("-number").first()
    if last is None:
        return OpenFindings(None, "", 0, {})
    rows = Finding.objects.filter(consistency_pass=last, state=FindingState.OPEN).order_by("severity", "rule")
    counts: Any = {(severity, rule): count for severity, rule, count in
                   rows.values_list("severity", "rule").annotate(count=Count("pk"))}  # fmt: skip
    return OpenFindings(last.number, last.state, last.ledger_position, counts)


def _read(board: Board) -> Content:
    found = read_open(board)
    if found.number is None:
        return Content(
            [], empty="No consistency pass has been run. Run one under Consistency: it shows what blocks a release."
        )
    notes = []
    if found.state != PassState.DONE:
        notes.append(f"Pass {found.number} is {found.state}: what it finds comes when it has ended.")
    elif not found.counts:
        notes.append(f"Pass {found.number} has nothing open: a release may be cut from it.")
    if (behind := board.reading.position - found.position) > 0:
        notes.append(f"The ledger has {behind} newer entries than pass {found.number} saw.")
    titles = {rule.code: rule.title for rule in RULES}
    rows: list[list[Cell]] = [
        [titles.get(rule, rule), rule, severity, count] for (severity, rule), count in found.counts.items()
    ]
    described = columns(("title", "Rule"), ("rule", "Code"), ("severity", "Severity"), ("open", "Open", "count"))
    title = f"Open findings of pass {found.number}"
    return Content(tables=[Table("findings", title, described, rows)], notes=notes, data={"number": found.number})


PANEL = Panel(
    name="findings",
    title="Open findings",
    meaning="What stands before a release. Blockers must be resolved or waived with a reason; warnings may stay.",
    read=_read,
)
