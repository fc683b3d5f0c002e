"""How often two people say the same of the regions that both have answered, with bootstrap intervals over cases.

Decides the raw share for each pair, which is easy to read beside the chance-corrected coefficients of `agreement`;
refuses to say which of the two is right.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from learning.consensus.answers import Answers, Floats


@dataclass(frozen=True, slots=True)
class Pair:
    """Two annotators (indices, the smaller first), the items both answered, and the share on which they agree."""

    first: int
    second: int
    items: int
    share: float
    low: float
    high: float


def measure_pairs(
    answers: Answers, *, cases: ArrayLike, seed: int, resamples: int = 500, coverage: float = 0.95
) -> list[Pair]:
    """Every pair with an item in common, in order. `cases` (I,) groups the items: cases are what is redrawn.

    A redrawn set without an item of a pair says nothing about it and is left out of its bounds.
    """
    groups = np.asarray(cases)
    if groups.shape != (answers.sizes[0],):
        raise ValueError(f"{answers.sizes[0]} items need one case each, but `cases` has shape {groups.shape}.")
    items, names, same = _meet(answers)
    if not len(items):
        return []
    _, case_of = np.unique(groups, return_inverse=True)
    pairs, pair_of = np.unique(names, return_inverse=True)
    shape = (int(case_of.max()) + 1, len(pairs))
    cell = case_of[items] * shape[1] + pair_of
    met = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
    agreed = np.bincount(cell, weights=same, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
    low, high = _bound(met, agreed, seed=seed, resamples=resamples, coverage=coverage)
    people = answers.sizes[1]
    return [
        Pair(
            first=int(name) // people,
            second=int(name) % people,
            items=int(met[:, place].sum()),
            share=float(agreed[:, place].sum() / met[:, place].sum()),
            low=float(low[place]),
            high=float(high[place]),
        )
        for place, name in enumerate(pairs)
    ]


def _meet(answers: Answers) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Every meeting of two people on an item: the item, the pair as one number, and 1 where they agree.

    Answers lie sorted by item and annotator: those of one item follow each other, `apart` places at most.
    """
    first = [np.zeros(0, dtype=np.int64)]
    second = [np.zeros(0, dtype=np.int64)]
    most = int(np.bincount(answers.items).max(initial=0)) if len(answers) else 0
    for apart in range(1, most):
        same_item = np.flatnonzero(answers.items[apart:] == answers.items[:-apart])
        first.append(same_item)
        second.append(same_item + apart)
    one, other = np.concatenate(first), np.concatenate(second)
    names = answers.annotators[one] * answers.sizes[1] + answers.annotators[other]
    return answers.items[one], names, (answers.labels[one] == answers.labels[other]).astype(np.float64)


def _bound(met: Floats, agreed: Floats, *, seed: int, resamples: int, coverage: float) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(len(met), np.full(len(met), 1 / len(met)), size=resamples).astype(np.float64)
    count = weights @ met
    share = np.divide(weights @ agreed, count, out=np.full_like(count, np.nan), where=count > 0)
    low, high = np.nanquantile(share, [(1 - coverage) / 2, (1 + coverage) / 2], axis=0)
    return low, high
