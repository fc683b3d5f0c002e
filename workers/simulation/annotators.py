"""How a scripted annotator answers: a confusion matrix drawn from skill and seed, more errors on borderline items.

Decides an answer from what an item is; refuses to look it up. An answer depends on seed, person, region and the
count of this person's answers on it alone, so it is the same in whatever order regions are handed out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Habits:
    """How people behave. Rates are shares of all answers; `skill` is the mean accuracy on clear items."""

    skill: float = 0.85
    borderline_error: float = 0.4
    special_rate: float = 0.01
    slow_rate: float = 0.03
    skip_rate: float = 0.0
    undo_rate: float = 0.0
    median_seconds: float = 4.0
    sway: float = 0.0  # share of suggestions taken over unseen, right or wrong

    # How much a person's accuracy differs between classes: Beta(skill * k, (1 - skill) * k).
    CONCENTRATION = 40.0
    # How one-sided a person's mistakes are: a symmetric Dirichlet over the other classes.
    ONE_SIDEDNESS = 0.6


@dataclass(frozen=True, slots=True)
class Response:
    """What a person does with one region. `slip` is a wrong answer that is taken back at once, or empty."""

    label: str
    seconds: float
    skips: bool = False
    slip: str = ""


class Annotator:
    """One scripted person. `codes` are the learnable classes, `specials` outcomes such as "not evaluable"."""

    def __init__(
        self, *, codes: Sequence[str], specials: Sequence[str] = (), habits: Habits, seed: int, index: int
    ) -> None:
        self.codes = [*codes, *specials]
        self.habits = habits
        self._entropy = (seed % 2**63, index)
        self.confusion = draw_confusion(len(codes), len(specials), habits=habits, rng=self._rng(0))

    def respond(self, *, truth: str, borderline: str, region: str, count: int, suggestion: str = "") -> Response:
        """Answer the region with this public id, of which the person gave `count` answers before."""
        rng = self._rng(1, int(region, 16), count)
        habits = self.habits
        seconds = float(habits.median_seconds * rng.lognormal(0.0, 0.5))
        if rng.random() < habits.slow_rate:
            seconds *= 8.0
        skips = bool(rng.random() < habits.skip_rate)
        label = self._decide(truth, borderline, rng)
        if suggestion and self._rng(2, int(region, 16), count).random() < habits.sway:
            label = suggestion
        slip = ""
        if rng.random() < habits.undo_rate:
            slip = str(rng.choice([code for code in self.codes if code != label]))
        return Response(label=label, seconds=round(seconds, 3), skips=skips, slip=slip)

    def _decide(self, truth: str, borderline: str, rng: np.random.Generator) -> str:
        if borderline and rng.random() < self.habits.borderline_error:
            return borderline
        row = self.confusion[self.codes.index(truth)]
        return self.codes[int(rng.choice(len(self.codes), p=row))]

    def _rng(self, *purpose: int) -> np.random.Generator:
        return np.random.default_rng([*self._entropy, *purpose])


def draw_confusion(codes: int, specials: int, *, habits: Habits, rng: np.random.Generator) -> Matrix:
    """Draw rows P(answer | truth), (codes + specials) squared, each summing to 1.

    Accuracy differs from class to class around the skill; mistakes prefer some classes. A special outcome is given
    for a clear item at `special_rate`; where it is the truth, it is recognised as well as a class.
    """
    size = codes + specials
    confusion = np.zeros((size, size))
    k = habits.CONCENTRATION
    skill = float(np.clip(habits.skill, 0.02, 0.98))
    for truth in range(size):
        accuracy = rng.beta(skill * k, (1.0 - skill) * k) if habits.skill < 1.0 else 1.0
        shares = rng.dirichlet(np.full(max(size - 1, 1), habits.ONE_SIDEDNESS)) if size > 1 else np.ones(1)
        others = np.array([other for other in range(size) if other != truth], dtype=np.int64)
        if specials and truth < codes:
            shares = _limit_specials(shares, others >= codes, habits.special_rate / max(1.0 - accuracy, 1e-9))
        confusion[truth, truth] = accuracy
        confusion[truth, others] = (1.0 - accuracy) * shares
    return confusion / confusion.sum(axis=1, keepdims=True)


def _limit_specials(shares: Matrix, is_special: NDArray[np.bool_], limit: float) -> Matrix:
    """Scale the special outcomes of `shares` to at most `limit` in all; the rest goes to the classes."""
    given = shares[is_special].sum()
    wanted = min(limit, given)
    scaled = shares.copy()
    scaled[is_special] *= wanted / max(given, 1e-12)
    ordinary = shares[~is_special].sum()
    scaled[~is_special] = (
        shares[~is_special] * (1.0 - wanted) / ordinary
        if ordinary > 0
        else (1.0 - wanted) / max((~is_special).sum(), 1)
    )
    return scaled
