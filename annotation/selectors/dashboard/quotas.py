"""How many settled regions each class has, and how many the study wants.

Decides which quota holds for a class (its own, else the study's default, as the rule of the pass does); refuses to
judge what a missing quota blocks.
"""

from collections import Counter
from dataclasses import dataclass

from annotation.selectors.dashboard.board import Board
from annotation.states import Method, RegionState

BY_PEOPLE = frozenset({Method.MAJORITY.value, Method.DAWID_SKENE.value})


@dataclass(frozen=True, slots=True)
class ClassCount:
    """A class of the current protocol: settled regions by how they were decided, and its quota (0: none)."""

    code: str
    name: str
    is_special: bool
    consensus: int
    adjudicated: int
    otherwise: int
    quota: int

    @property
    def settled(self) -> int:
        return self.consensus + self.adjudicated + self.otherwise

    @property
    def missing(self) -> int:
        return max(self.quota - self.settled, 0)


def read(board: Board) -> list[ClassCount]:
    """The classes in the protocol's order. Quotas are the study's: under a domain they are left out."""
    counts: dict[str, Counter[str]] = {}
    for one in board.worked:
        if one.state == RegionState.SETTLED:
            counts.setdefault(one.label, Counter())[_way(one.method)] += one.regions
    default = board.study.policy.default_quota
    whole = not board.filters.domain
    found = []
    for row in board.reading.classes:
        ways = counts.get(row.code, Counter())
        quota = row.quota or (0 if row.is_special else default)
        found.append(
            ClassCount(
                code=row.code,
                name=row.name,
                is_special=row.is_special,
                consensus=ways["consensus"],
                adjudicated=ways["adjudicated"],
                otherwise=ways["otherwise"],
                quota=quota if whole else 0,
            )
        )
    return found


def count_unnamed(board: Board) -> int:
    """Settled regions whose class has no exact heir in the current protocol."""
    return sum(one.regions for one in board.worked if one.state == RegionState.SETTLED and not one.label)


def _way(method: str) -> str:
    if method in BY_PEOPLE:
        return "consensus"
    return "adjudicated" if method == Method.ADJUDICATION else "otherwise"
