"""Whether slides of one domain look like what a model has learned from, as far as their cases can tell.

A classifier two-sample test (Lopez-Paz & Oquab 2017, arXiv 1610.06545): where a classifier tells regions of cases that
it has not seen apart by their embeddings, they come from two distributions. Patients differ, too, so that the regions
are not drawn one by one: whole cases are held out, every case weighs the same, and what is usual comes from splitting
the same cases by chance. Decides what is compared, and with how few cases nothing is said; refuses to know what a
domain is and what follows. About slides, not about people, whose falling off is `learning.consensus.drift`.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

FloatArray = NDArray[np.float64]
Labels = NDArray[np.bool_]

FEWEST_CASES = 6
"""Of a side: of five cases that were scanned twice, no split by chance is rarer than 1 in 16."""
ROWS_A_SIDE = 2000
DRAWS = 199
LEVEL = 0.05
_FOLDS = 5
_RIDGE = 0.3
_FAREST = 5.0


class _Measure(Protocol):
    """Means of both sides (draws, K) to a number each."""

    def __call__(self, new: FloatArray, known: FloatArray) -> FloatArray: ...


@dataclass(frozen=True, slots=True)
class Comparison:
    """A measure between two sides, and the same measure of splits of the same cases by chance.

    `usual` is what 95 of 100 such splits stay under; `p` the share of splits that reach `value`, itself included;
    `low` and `high` hold 95 of 100 values when whole cases are drawn anew, nan where that is not told.
    """

    value: float
    usual: float
    p: float
    cases: int
    known_cases: int
    low: float = float("nan")
    high: float = float("nan")

    @property
    def is_unusual(self) -> bool:
        """Whether chance makes so large a difference at most once in 20 times."""
        return self.p <= LEVEL


@dataclass(frozen=True, slots=True)
class Sides:
    """Two groups of units: what one case has on one side. A case that was scanned twice may be on both.

    cases (U,): the case of each unit; is_new (U,): whether it is of the side that is looked at. Two units of one side
    and case are a ValueError.
    """

    cases: NDArray[np.int64]
    is_new: Labels

    def __post_init__(self) -> None:
        for side in (self.is_new, ~self.is_new):
            if len(np.unique(self.cases[side])) != side.sum():
                raise ValueError("A case has two units on one side. Put its regions together first.")

    @property
    def counts(self) -> tuple[int, int]:
        """Cases of the new and of the known side."""
        return int(self.is_new.sum()), int((~self.is_new).sum())

    @property
    def are_enough(self) -> bool:
        """Whether there are cases enough on both sides to tell anything."""
        return min(self.counts) >= FEWEST_CASES

    def redraw(self, draws: int, generator: np.random.Generator) -> Labels:
        """Splits by chance (draws, U) with as many cases on each side; a case on both sides stays on both."""
        _, case_of, times = np.unique(self.cases, return_inverse=True, return_counts=True)
        pairs = [np.flatnonzero(case_of == case) for case in np.flatnonzero(times == 2)]
        single = np.flatnonzero(times[case_of] == 1)
        found = np.tile(self.is_new, (draws, 1))
        for labels in found:
            labels[single] = generator.permutation(labels[single])
            for pair in pairs:
                labels[pair] = generator.permutation(labels[pair])
        return found

    def resample(self, draws: int, generator: np.random.Generator) -> FloatArray:
        """Weights (draws, U): cases drawn with replacement, those of one side and those on both each by themselves."""
        _, case_of, times = np.unique(self.cases, return_inverse=True, return_counts=True)
        twice = times[case_of] == 2
        weights = np.zeros((draws, len(self.cases)))
        for stratum in (~twice & self.is_new, ~twice & ~self.is_new, twice):
            cases, place = np.unique(case_of[stratum], return_inverse=True)
            if len(cases):
                drawn = generator.multinomial(len(cases), np.full(len(cases), 1 / len(cases)), size=draws)
                weights[:, stratum] = drawn[:, place]
        return weights


def tell_apart(
    features: NDArray[np.floating], *, units: NDArray[np.integer], sides: Sides, seed: int, draws: int = DRAWS
) -> Comparison | None:
    """How well a linear classifier tells regions of the two sides apart: the AUC, 0.5 where it can't.

    Parameters: features (N, D), units (N,) index into the units of `sides`. At most 2,000 rows a side are used, as many
    of each case. The classifier is ridge least squares, whose closed form lets every split by chance be fitted as the
    true one is; its AUC is the mean over folds of cases, each answered by the fit to the others. None with too few
    cases. The same arguments give the same numbers.
    """
    if len(features) != len(units):
        raise ValueError(f"There are {len(features)} rows of features, but units of {len(units)}.")
    if not sides.are_enough:
        return None
    generator = np.random.default_rng(seed)
    kept = _thin(units, sides, generator)
    rows, unit_of = np.asarray(features[kept], dtype=np.float64), np.asarray(units)[kept]
    weight = 1 / np.bincount(unit_of, minlength=len(sides.cases))[unit_of]
    with threadpool_limits(limits=1, user_api="blas"):
        scores = _score(rows, unit_of, weight, count=len(sides.cases))
        value = _cross_validate(scores, unit_of, weight, sides.cases, sides.is_new, generator)
        chance = [
            _cross_validate(scores, unit_of, weight, sides.cases, labels, generator)
            for labels in sides.redraw(draws, generator)
        ]
    return _compare(value, np.array(chance), sides)


def compare_shares(shares: FloatArray, *, sides: Sides, seed: int, draws: int = DRAWS) -> Comparison | None:
    """Total variation between the mean shares of both sides, (U, K), 0 to 1: what part changed its class.

    With an interval by cases. None with too few cases.
    """
    return _compare_means(np.asarray(shares, dtype=np.float64), sides, seed, draws, _vary)


def compare_levels(levels: FloatArray, *, sides: Sides, seed: int, draws: int = DRAWS) -> Comparison | None:
    """How far the mean level (U,) of the new side lies over that of the known one, whose unit it has.

    Two-sided; with an interval by cases. None with too few cases.
    """

    def lie_over(new: FloatArray, known: FloatArray) -> FloatArray:
        difference: FloatArray = (new - known)[..., 0]
        return difference

    return _compare_means(np.asarray(levels, dtype=np.float64)[:, None], sides, seed, draws, lie_over)


def measure_psi(shares: FloatArray, *, sides: Sides, count: int) -> float:
    """Population stability index between the mean shares of both sides: the sum of (a - b) ln(a / b).

    `count` regions in all; half a region more is counted for every class, so that an empty one is not infinite.
    """
    classes = shares.shape[1]
    more = 0.5 / max(count, 1)
    new, known = ((shares[side].mean(axis=0) + more) / (1 + classes * more) for side in (sides.is_new, ~sides.is_new))
    return float(((new - known) * np.log(new / known)).sum())


def _thin(units: NDArray[np.integer], sides: Sides, generator: np.random.Generator) -> NDArray[np.int64]:
    """Rows that are used: of each unit at most its part of the side's rows, by chance."""
    most = [max(1, ROWS_A_SIDE // count) for count in sides.counts]
    order = generator.permutation(len(units))
    order = order[np.argsort(units[order], kind="stable")]
    first = np.searchsorted(units[order], np.arange(len(sides.cases)))
    place = np.arange(len(order)) - first[units[order]]
    result: NDArray[np.int64] = np.sort(order[place < np.where(sides.is_new[units[order]], *most)])
    return result


def _score(rows: FloatArray, unit_of: NDArray[np.integer], weight: FloatArray, *, count: int) -> FloatArray:
    """Products (N, U) of rows with the ridge's inverse covariance and each unit's mean: any split is a sum of columns.

    Standardisation and covariance look at no label, so that they are the same for every split.
    """
    total = weight.sum()
    mean = weight @ rows / total
    spread = np.sqrt(np.maximum(weight @ (rows - mean) ** 2 / total, 1e-12))
    rows = np.clip((rows - mean) / spread, -_FAREST, _FAREST)
    covariance = (rows * weight[:, None]).T @ rows / total
    covariance[np.diag_indices(len(covariance))] += _RIDGE
    means = np.zeros((count, rows.shape[1]))
    np.add.at(means, unit_of, rows * weight[:, None])
    result: FloatArray = rows @ cho_solve(cho_factor(covariance, lower=True), means.T)
    return result


def _cross_validate(
    scores: FloatArray,
    unit_of: NDArray[np.integer],
    weight: FloatArray,
    cases: NDArray[np.int64],
    is_new: Labels,
    generator: np.random.Generator,
) -> float:
    fold = _deal(cases, is_new, generator)
    found = []
    for held in range(fold.max() + 1):
        new, known = is_new & (fold != held), ~is_new & (fold != held)
        answers = scores @ (new / new.sum() - known / known.sum())
        here = fold[unit_of] == held
        positive = is_new[unit_of[here]]
        found.append(_measure_auc(answers[here], weight[here], positive))
    return float(np.mean(found))


def _deal(cases: NDArray[np.int64], is_new: Labels, generator: np.random.Generator) -> NDArray[np.int64]:
    """The fold of each unit: both sides in every fold, a case in one fold only."""
    number = min(_FOLDS, int(is_new.sum()), int((~is_new).sum()))
    fold = np.zeros(len(cases), dtype=np.int64)
    names, case_of, times = np.unique(cases, return_inverse=True, return_counts=True)
    both = generator.permutation(np.flatnonzero(times == 2))
    of_case = np.zeros(len(names), dtype=np.int64)
    of_case[both] = np.arange(len(both)) % number
    for side in (is_new, ~is_new):
        alone = generator.permutation(case_of[side & (times[case_of] == 1)])
        of_case[alone] = (len(both) + np.arange(len(alone))) % number
    fold[:] = of_case[case_of]
    return fold


def _measure_auc(answers: FloatArray, weight: FloatArray, positive: Labels) -> float:
    order = np.argsort(answers[~positive])
    below = answers[~positive][order]
    mass = np.concatenate([[0.0], np.cumsum(weight[~positive][order])])
    left, right = (mass[np.searchsorted(below, answers[positive], side=side)] for side in ("left", "right"))
    return float(weight[positive] @ (left + right) / 2 / (weight[positive].sum() * mass[-1]))


def _compare_means(values: FloatArray, sides: Sides, seed: int, draws: int, measure: _Measure) -> Comparison | None:
    """Mean values (U, K) of both sides under `measure`, against splits by chance and cases drawn anew."""
    if not sides.are_enough:
        return None
    generator = np.random.default_rng(seed)
    split = np.vstack([sides.is_new, sides.redraw(draws, generator)]).astype(np.float64)
    value, *chance = measure(_average(values, split), _average(values, 1 - split))
    again = sides.resample(max(draws, 1000), generator)
    spread = measure(_average(values, again * sides.is_new), _average(values, again * ~sides.is_new))
    low, high = np.quantile(spread, [0.025, 0.975])
    found = _compare(abs(value), np.abs(chance), sides)
    return Comparison(float(value), found.usual, found.p, *sides.counts, low=float(low), high=float(high))


def _average(values: FloatArray, weight: FloatArray) -> FloatArray:
    result: FloatArray = weight @ values / weight.sum(axis=1, keepdims=True)
    return result


def _vary(new: FloatArray, known: FloatArray) -> FloatArray:
    result: FloatArray = np.abs(new - known).sum(axis=1) / 2
    return result


def _compare(value: float, chance: FloatArray, sides: Sides) -> Comparison:
    # A hair's breadth off, so that a split that is the true one counts as reaching it.
    reached = int((chance >= value - 1e-12).sum())
    return Comparison(value, float(np.quantile(chance, 0.95)), (1 + reached) / (1 + len(chance)), *sides.counts)
