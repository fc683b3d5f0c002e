"""What one more answer is worth, on a region that people have begun and on a new one: by one scale.

Decides the scale: a region without a settled truth counts as wrong, so an answer is worth the drop in the (weighted)
probability of a wrong truth that it brings on the way to settling, for each answer spent on that way. One scale for
both is ActiveLab's idea (Goh & Mueller 2023, arXiv 2301.11856), with another order: it asks first where the next answer
may change most, and leaves unfinished what here counts as nothing. Taking the best stretch of answers ahead instead of
the next one is the index of Gittins (1979, J. R. Stat. Soc. B 41:148-177): a first answer alone settles nothing.
Refuses to know rows, queues, and who answers next: that person is a typical one.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import comb

import numpy as np
from numpy.typing import NDArray

from learning.consensus.answers import Floats, Integers

# Stands in for zero where otherwise every class would be impossible.
_SMALLEST = 1e-300
# A stretch ends where it may hold more different sets of answers than this, so that a submit pays milliseconds for it.
_MOST_SETS = 2000


@dataclass(frozen=True, slots=True)
class Asking:
    """When the asking ends: as `settlement.decide` without its special cases. After `most` an adjudicator decides."""

    least: int
    most: int
    target: float

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.most or not 0 < self.target <= 1:
            raise ValueError(f"Asking {self.least} to {self.most} people for a posterior of {self.target} can't be.")


def measure_gain(
    *,
    posterior: Floats,
    answers: int,
    confusion: Floats,
    asking: Asking,
    expected: Floats | None = None,
    weights: Floats | None = None,
    reach: int | None = None,
) -> float:
    """Return the gain per answer of asking on about one region: the drop in the probability of a wrong truth.

    `posterior` (K,) is what `answers` people say together, the class prior for none; by it a region settles.
    `expected` (K,) is what the truth is believed to be for telling what people will say, a model's word included
    (None: the posterior): it never settles anything. `confusion` (K, K) is a typical annotator's. `weights` (K,) say
    how much a right truth of each class is worth (None: 1 each).

    Of the stretches of 1, 2, ... `reach` further answers (None: all that are allowed, fewer with many classes), each
    of which ends early where the region settles, the one with the best gain for its expected answers counts. An
    adjudicator counts as one answer, and as right. ValueError where shapes differ.
    """
    size = len(posterior)
    believed = posterior if expected is None else expected
    worth = np.ones(size) if weights is None else weights
    if confusion.shape != (size, size) or believed.shape != (size,) or worth.shape != (size,):
        raise ValueError(f"{size} classes do not fit {confusion.shape}, {believed.shape} and {worth.shape}.")
    steps = min(_reach(size, least=asking.least - answers) if reach is None else reach, asking.most - answers)
    # Both by the multiset of further answers: `mass` is P(these answers, truth, and still asking).
    mass, likelihood = np.asarray(believed, dtype=np.float64)[None, :], np.ones((1, size))
    best = gained = spent = 0.0
    for step in range(1, max(steps, 1) + 1):
        spent += float(mass.sum())
        mass, likelihood = _ask(mass, likelihood, confusion, step)
        settled = np.maximum(posterior, _SMALLEST) * likelihood
        top = settled.argmax(axis=1)
        share = settled[np.arange(len(top)), top] / np.maximum(settled.sum(axis=1), _SMALLEST)
        ends = (share >= asking.target) & (answers + step >= asking.least)
        gained += float((mass[np.arange(len(top)), top] * worth[top])[ends].sum())
        mass[ends] = 0.0
        if answers + step >= asking.most:
            spent += float(mass.sum())
            gained += float((mass * worth).sum())
        best = max(best, gained / spent if spent > 0 else 0.0)
    return best


def expect_from_top(*, top: int, share: float, second: int | None, margin: float, prior: Floats) -> Floats:
    """Return a model's mean probabilities (K,) from what is kept of them: the best class, its share, the second, the
    margin between both. What is left is spread as the prior has it."""
    expected = np.zeros(len(prior))
    rest = np.maximum(prior, _SMALLEST).copy()
    for place, value in ((top, share), (second, max(share - margin, 0.0))):
        if place is not None:
            expected[place], rest[place] = value, 0.0
    left = max(1.0 - float(expected.sum()), 0.0)
    if rest.sum() > 0:
        expected += left * rest / rest.sum()
    return np.asarray(expected / expected.sum(), dtype=np.float64)


def pool(posterior: Floats, *, prior: Floats, expected: Floats) -> Floats:
    """Return what is believed of a begun region, (K,): the answers' evidence with the model's word for a prior."""
    joint = posterior / np.maximum(prior, _SMALLEST) * expected
    total = joint.sum()
    return np.asarray(joint / total if total > 0 else posterior, dtype=np.float64)


def _reach(size: int, *, least: int) -> int:
    """How many answers ahead are looked at: those needed at least, and more while there are few sets of them."""
    steps = 1
    while steps < least or comb(size + steps, steps + 1) <= _MOST_SETS:
        steps += 1
    return steps


def _ask(mass: Floats, likelihood: Floats, confusion: Floats, step: int) -> tuple[Floats, Floats]:
    """One more answer: arrays (multisets of `step` - 1, K) become (multisets of `step`, K)."""
    size = confusion.shape[0]
    table, count = _successors(size, step - 1)
    said = confusion.T[None, :, :]
    grown = np.zeros((count, size))
    np.add.at(grown, table, mass[:, None, :] * said)
    known = np.empty((count, size))
    known[table] = likelihood[:, None, :] * said
    return grown, known


@lru_cache(maxsize=64)
def _successors(size: int, drawn: int) -> tuple[Integers, int]:
    """For each multiset of `drawn` answers in `size` classes and each next answer, the place of the multiset of both:
    (M, K); and how many these are."""
    counts = _multisets(size, drawn)
    larger = _multisets(size, drawn + 1)
    place = {row.tobytes(): index for index, row in enumerate(larger)}
    one = np.eye(size, dtype=np.int64)
    table = np.array([[place[(row + more).tobytes()] for more in one] for row in counts], dtype=np.int64)
    return table, len(larger)


@lru_cache(maxsize=64)
def _multisets(size: int, drawn: int) -> NDArray[np.int64]:
    """All ways to have `drawn` answers in `size` classes, as counts (M, K)."""
    if drawn == 0:
        return np.zeros((1, size), dtype=np.int64)
    smaller = _multisets(size, drawn - 1)
    grown = (smaller[:, None, :] + np.eye(size, dtype=np.int64)).reshape(-1, size)
    return np.unique(grown, axis=0)
