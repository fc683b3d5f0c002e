"""How people did on gold and on repeats: regions with a known truth, and their own regions shown again.

Decides what is counted by person; what is compared with what is decided in `outcomes`.
"""

from collections import Counter
from dataclasses import dataclass, field

from annotation.selectors import outcomes
from annotation.selectors.dashboard.board import Board
from annotation.states import AssignmentKind


@dataclass(frozen=True, slots=True)
class Checks:
    """By pseudonym: gold answered and right, repeats answered and the same as before."""

    gold: Counter[str] = field(default_factory=Counter)
    gold_right: Counter[str] = field(default_factory=Counter)
    repeats: Counter[str] = field(default_factory=Counter)
    repeats_same: Counter[str] = field(default_factory=Counter)


def read(board: Board) -> Checks:
    """All checks that were answered and not taken back."""
    found: Checks = board.keep("checks", lambda: _read(board))
    return found


def _read(board: Board) -> Checks:
    checks = Checks()
    for one in outcomes.read(board.study, codes=board.reading.codes):
        is_gold = one.kind == AssignmentKind.GOLD
        asked, right = (checks.gold, checks.gold_right) if is_gold else (checks.repeats, checks.repeats_same)
        asked[one.pseudonym] += 1
        right[one.pseudonym] += one.is_right
    return checks
