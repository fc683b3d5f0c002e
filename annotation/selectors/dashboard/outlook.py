"""How long the rest takes at the rate of late: for the queue, for the quotas of the classes, for every region.

Decides which stretch of work is taken for the rate and when it is too early to say; `learning.forecast` redraws it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from django.db.models import Avg, Count, StdDev

from annotation.models import Pick
from annotation.selectors.dashboard import flow, quotas
from annotation.selectors.dashboard.board import Board
from annotation.selectors.dashboard.flow import Flow
from annotation.states import PickState, RegionState
from learning.forecast import estimate_answers, estimate_remaining

FEWEST_BUCKETS = 3
FEWEST_SETTLED = 10
FEWEST_DAYS = 5
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Beyond this a date says nothing; PostgreSQL and Python would count on, people would not.
FARTHEST = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The work that the rate is taken from: net settled regions by bucket and class, (B, K + 1).

    The last column holds what is no class of the current protocol.
    """

    unit: timedelta
    counts: np.ndarray

    @property
    def per_day(self) -> float:
        return float(self.counts.sum() / len(self.counts) * (DAY / self.unit)) if len(self.counts) else 0.0

    def describe(self) -> str:
        """Where the rate comes from, for people."""
        name = "full days" if self.unit == DAY else "hours, idle ones included"
        return f"the last {len(self.counts)} {name}"


@dataclass(frozen=True, slots=True)
class Outlook:
    """One goal: what remains, and the moments between which it is reached 8 times in 10; None: not at this rate.

    `answers` is how many that takes, with the same surety, if what remains is like what is settled; None: too early.
    """

    goal: str
    remaining: int
    earliest: datetime | None
    likely: datetime | None
    latest: datetime | None
    says: str
    answers: tuple[int, int] | None = None


def read(board: Board) -> tuple[Stretch, list[Outlook]]:
    """The stretch that was looked at and the outlook of each goal, also of those that are reached."""
    return board.reading.once(("outlook", board.filters), lambda: _read(board))


def _read(board: Board) -> tuple[Stretch, list[Outlook]]:
    stretch = _choose_stretch(flow.read(board), board.reading.at, [one.code for one in board.reading.classes])
    queued = sum(one.regions for one in board.worked if one.state in (RegionState.QUEUED, RegionState.ADJUDICATION))
    classes = quotas.read(board)
    total = sum(one.regions for one in board.domains)
    ended = sum(one.regions for one in board.worked if one.state in (RegionState.SETTLED, RegionState.EXCLUDED))
    together, apart = stretch.counts.sum(axis=1, keepdims=True), stretch.counts[:, :-1]
    goals = [
        _foresee(board, stretch, "Everything in the queue now", together, [queued]),
        _foresee(board, stretch, "Every region of the slides", together, [max(total - ended, 0)]),
    ]
    if any(one.quota for one in classes):
        goals.insert(1, _foresee(board, stretch, "Every class at its quota", apart, [one.missing for one in classes]))
    paid = board.keep("answers_per_region", lambda: _read_paid(board))
    return stretch, [replace(goal, answers=_foresee_answers(goal.remaining, paid)) for goal in goals]


def _read_paid(board: Board) -> tuple[int, float, float]:
    """Settled picks, and mean and deviation of the opinions that each was granted."""
    settled = Pick.objects.filter(study=board.study, state=PickState.SETTLED, region__state=RegionState.SETTLED)
    found = settled.aggregate(count=Count("pk"), mean=Avg("slots_granted"), deviation=StdDev("slots_granted"))
    return found["count"], float(found["mean"] or 0.0), float(found["deviation"] or 0.0)


def _foresee_answers(remaining: int, paid: tuple[int, float, float]) -> tuple[int, int] | None:
    count, mean, deviation = paid
    if count < FEWEST_SETTLED or not remaining:
        return None
    found = estimate_answers(remaining=remaining, mean=mean, deviation=deviation, count=count)
    return int(found.low), int(np.ceil(found.high))


def _choose_stretch(found: Flow, at: datetime, codes: list[str]) -> Stretch:
    """Full days where there are enough of them, else the hours since work began; what runs now is not full yet."""
    if not found.hours:
        return Stretch(DAY, np.zeros((0, len(codes) + 1)))
    today, this_hour = at.replace(hour=0, minute=0, second=0, microsecond=0), _hour(at)
    began = min(found.hours)
    days = (today - began.replace(hour=0)) // DAY
    unit, end, size = (DAY, today, days) if days >= FEWEST_DAYS else (HOUR, this_hour, (this_hour - began) // HOUR)
    counts = np.zeros((size, len(codes) + 1))
    place = {code: column for column, code in enumerate(codes)}
    for hour, classes in found.hours.items():
        row = size - 1 - int((end - HOUR - hour) // unit) if hour < end else -1
        for code, count in classes.items():
            if 0 <= row < size:
                counts[row, place.get(code, len(codes))] += count
    return Stretch(unit, counts)


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _foresee(board: Board, stretch: Stretch, goal: str, counts: np.ndarray, remaining: list[int]) -> Outlook:
    left = sum(remaining)
    if not left:
        return Outlook(goal, 0, None, None, None, "Done.")
    worked, settled = int((stretch.counts.sum(axis=1) > 0).sum()), int(stretch.counts.sum())
    if worked < FEWEST_BUCKETS or settled < FEWEST_SETTLED:
        unit = "days" if stretch.unit == DAY else "hours"
        says = (
            f"Too early to say: {settled} regions settled in {worked} finished {unit}; an estimate needs "
            f"{FEWEST_SETTLED} in {FEWEST_BUCKETS}."
        )
        return Outlook(goal, left, None, None, None, says)
    found = estimate_remaining(counts=counts, remaining=remaining, seed=abs(board.study.seed))
    low, likely, high = (
        _moment(board.reading.at, days, stretch.unit) for days in (found.low, found.likely, found.high)
    )
    return Outlook(goal, left, low, likely, high, f"At the rate of {stretch.describe()}.")


def _moment(at: datetime, buckets: float, unit: timedelta) -> datetime | None:
    if not np.isfinite(buckets) or buckets > FARTHEST / unit:
        return None
    # To the hour, as nobody knows it closer and every second would be another answer.
    return _hour(at) + int(np.ceil(buckets)) * unit
