"""Whether more labels still make the models better: one of half as many labels beside today's, on the same audit items.

Decides what counts as standing still. A model gains less from each doubling of its labels than from the last
(Cortes et al. 1994), so that what the last one brought at most is what the next one can be hoped to bring at most.
Refuses to know studies, and whether the labels themselves are what is wanted.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from learning import metrics
from learning.gate import Evidence

WORTH = 0.01
"""Macro-F1 that is worth another doubling of the labels: a point of a hundred."""
_PLACES = 6


class Course(StrEnum):
    """What the interval leaves open: surely rising, surely flat, or neither."""

    RISING = "rising"
    FLAT = "flat"
    OPEN = "open"


@dataclass(frozen=True)
class Growth:
    """Macro-F1 gained from `before` labels to `now`, with its 95% interval by case, over `items` of `cases`."""

    before: int
    now: int
    items: int
    cases: int
    gain: float
    low: float
    high: float

    @property
    def course(self) -> Course:
        """Flat only where the whole interval lies under what is worth the labels."""
        if self.high < WORTH:
            return Course.FLAT
        return Course.RISING if self.low > 0 else Course.OPEN

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def compare(evidence: Evidence, *, before: int, now: int) -> Growth:
    """Candidate minus champion, which were trained on `now` and `before` labels, none of them of these items.

    Raises ValueError without a champion or without items.
    """
    if evidence.champion is None or not len(evidence.truth):
        raise ValueError("Growth is told from two models' answers about the same items.")
    gain = metrics.estimate_difference(
        truth=evidence.truth, baseline=evidence.champion, candidate=evidence.candidate, cases=evidence.cases
    )
    return Growth(
        before=before,
        now=now,
        items=len(evidence.truth),
        cases=len(set(evidence.cases.tolist())),
        gain=round(gain.value, _PLACES),
        low=round(gain.low, _PLACES),
        high=round(gain.high, _PLACES),
    )
