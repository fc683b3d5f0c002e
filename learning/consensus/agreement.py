"""How well people agree, beyond chance, with bootstrap intervals over cases.

Decides three coefficients (Krippendorff's alpha, Gwet's AC1, agreement per class), since under heavy
imbalance each alone misleads; refuses to know who is right. Self-agreement is the same with a person's two
looks as two annotators.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from learning.consensus.answers import Answers, Floats, Integers

Level = Literal["nominal", "ordinal"]

# Items whose K x K tables are held at once, and weights (resamples x cases) drawn at once: some 50 MB each.
_BLOCK = 20_000
_WEIGHTS = 5_000_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with bootstrap bounds; NaN where it is undefined (nobody to compare, or one class only)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement over the items with two or more answers.

    `per_class` (K): of two people of whom one says k, how often the other says k too. `items` and `cases`
    are what it rests on, `answers` those of compared items.
    """

    alpha: Estimate
    ac1: Estimate
    raw: Estimate
    per_class: tuple[Estimate, ...]
    items: int
    cases: int
    answers: int


@dataclass(frozen=True, slots=True)
class _Sums:
    """Everything the coefficients need, as sums over items: so a resampled case is a weight, not a new
    table."""

    coincidences: Floats  # (..., K, K) pairs of answers within an item, each item with the weight of its answers
    agreeing: Floats  # (...,) summed share of agreeing pairs per item
    compared: Floats  # (...,) items with two or more answers
    shares: Floats  # (..., K) summed share of each class per item
    answered: Floats  # (...,) items with any answer


def measure_agreement(
    answers: Answers,
    *,
    cases: ArrayLike,
    seed: int,
    level: Level = "nominal",
    resamples: int = 1000,
    coverage: float = 0.95,
) -> Agreement:
    """Measure agreement; `cases` (I,) groups the items, and cases are what the bootstrap draws.

    Alpha: Krippendorff (2004), Content Analysis, 2nd ed., chapter 11, from coincidences, with the nominal or
    ordinal difference. AC1: Gwet (2008), Br. J. Math. Stat. Psychol. 61:29-48, for several raters and
    missing answers; K is the number of classes of the protocol, used or not. Per class: specific agreement
    (Fleiss, Levin & Paik 2003). Bounds are percentiles of `resamples` draws with replacement, those without
    a value left out.
    """
    groups = np.asarray(cases)
    if groups.shape != (answers.sizes[0],):
        raise ValueError(f"{answers.sizes[0]} items need one case each, but `cases` has shape {groups.shape}.")
    votes = answers.count_labels()
    compared = votes.sum(axis=1) > 1
    _, codes = np.unique(groups, return_inverse=True)
    by_case = _sum_by_case(votes, codes.astype(np.int64))
    point = _coefficients(_weigh(by_case, np.ones((1, len(by_case.answered)))), level)
    drawn = _resample(by_case, level=level, resamples=resamples, seed=seed)
    estimates = [_bound(float(value[0]), many, coverage) for value, many in zip(point, drawn, strict=True)]
    return Agreement(
        alpha=estimates[0],
        ac1=estimates[1],
        raw=estimates[2],
        per_class=tuple(estimates[3:]),
        items=int(compared.sum()),
        cases=len(np.unique(codes[compared])),
        answers=int(votes[compared].sum()),
    )


def _sum_by_case(votes: Floats, codes: Integers) -> _Sums:
    total = votes.sum(axis=1)
    answered, several = total > 0, total > 1
    by_case = _group(codes, answered)
    shares = np.divide(votes, total[:, None], out=np.zeros_like(votes), where=answered[:, None])
    group = _group(codes, several)
    size = np.where(several, total, 2.0)
    agreeing = (votes * (votes - 1)).sum(axis=1) / (size * (size - 1))
    return _Sums(
        coincidences=_sum_coincidences(votes, size, group),
        agreeing=np.asarray(group @ agreeing),
        compared=np.asarray(group.sum(axis=1)),
        shares=np.asarray(by_case @ shares),
        answered=np.asarray(by_case.sum(axis=1)),
    )


def _group(codes: Integers, kept: NDArray[np.bool_]) -> csr_array:
    """Return a matrix (cases, items) whose product sums the kept items of each case."""
    items = np.flatnonzero(kept)
    shape = (int(codes.max(initial=-1)) + 1, len(codes))
    return csr_array((np.ones(len(items)), (codes[items], items)), shape=shape)


def _sum_coincidences(votes: Floats, size: Floats, group: csr_array) -> Floats:
    """Return pairs of answers within items, each item over one less than its answers: (cases, K, K)."""
    class_count = votes.shape[1]
    sums = np.zeros((group.shape[0], class_count * class_count))
    columns = group.tocsc()
    for start in range(0, len(votes), _BLOCK):
        block = slice(start, start + _BLOCK)
        pairs = votes[block, :, None] * votes[block, None, :]
        pairs[:, np.arange(class_count), np.arange(class_count)] -= votes[block]
        pairs /= (size[block] - 1)[:, None, None]
        sums += columns[:, block] @ pairs.reshape(len(pairs), -1)
    return sums.reshape(-1, class_count, class_count)


def _resample(by_case: _Sums, *, level: Level, resamples: int, seed: int) -> list[Floats]:
    """Return each coefficient under cases drawn with replacement: (resamples,) each, in bounded memory."""
    case_count = len(by_case.answered)
    if case_count == 0:
        return _coefficients(_weigh(by_case, np.zeros((resamples, 0))), level)
    rng = np.random.default_rng(seed)
    even = np.full(case_count, 1 / case_count)
    chunk = max(1, _WEIGHTS // case_count)
    parts = []
    for start in range(0, resamples, chunk):
        drawn = rng.multinomial(case_count, even, size=min(chunk, resamples - start)).astype(np.float64)
        parts.append(_coefficients(_weigh(by_case, drawn), level))
    return [np.concatenate(values) for values in zip(*parts, strict=True)]


def _weigh(sums: _Sums, weights: Floats) -> _Sums:
    return _Sums(
        coincidences=np.tensordot(weights, sums.coincidences, axes=1),
        agreeing=weights @ sums.agreeing,
        compared=weights @ sums.compared,
        shares=weights @ sums.shares,
        answered=weights @ sums.answered,
    )


def _coefficients(sums: _Sums, level: Level) -> list[Floats]:
    """Alpha, AC1, raw agreement, then one value per class; each (resamples,)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        raw = sums.agreeing / sums.compared
        totals = sums.coincidences.sum(axis=-1)
        per_class = np.diagonal(sums.coincidences, axis1=-2, axis2=-1) / totals
        return [_alpha(sums.coincidences, level), _ac1(sums, raw), raw, *per_class.T]


def _alpha(coincidences: Floats, level: Level) -> Floats:
    totals = coincidences.sum(axis=-1)
    size = totals.sum(axis=-1)
    difference = _differences(totals, level)
    observed = (coincidences * difference).sum(axis=(-2, -1))
    expected = (totals[..., :, None] * totals[..., None, :] * difference).sum(axis=(-2, -1))
    alpha: Floats = 1 - (size - 1) * observed / expected
    return alpha


def _differences(totals: Floats, level: Level) -> Floats:
    """The squared difference of two classes: (..., K, K)."""
    class_count = totals.shape[-1]
    if level == "nominal":
        return np.broadcast_to(1 - np.eye(class_count), (*totals.shape, class_count))
    below = np.cumsum(totals, axis=-1) - totals / 2
    ordinal: Floats = (below[..., :, None] - below[..., None, :]) ** 2
    return ordinal


def _ac1(sums: _Sums, raw: Floats) -> Floats:
    class_count = sums.shares.shape[-1]
    share = sums.shares / sums.answered[..., None]
    chance = (share * (1 - share)).sum(axis=-1) / max(class_count - 1, 1)
    ac1: Floats = (raw - chance) / (1 - chance)
    return ac1


def _bound(value: float, drawn: Floats, coverage: float) -> Estimate:
    defined = drawn[np.isfinite(drawn)]
    if not len(defined) or not np.isfinite(value):
        return Estimate(value, np.nan, np.nan)
    low, high = np.quantile(defined, [(1 - coverage) / 2, (1 + coverage) / 2])
    return Estimate(value, float(low), float(high))
