"""What an item stands for that was not drawn like every other: weights that take the draw's favour back.

Decides the weights from the probabilities of the draws. Refuses to know what is estimated with them (`metrics`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
FEWEST = 10
"""Items of a stratum that stand for it."""


def weigh_inverse(probability: NDArray[np.floating]) -> FloatArray:
    """Weights (N,) of mean 1, in proportion to one over the inclusion probability (Hajek 1971).

    Raises ValueError for a probability outside 0 to 1, or 0 itself: what was picked by its score stands for nothing
    but itself.
    """
    wide = np.asarray(probability, dtype=np.float64)
    if not ((wide > 0) & (wide <= 1)).all():
        raise ValueError("Probabilities lie above 0 and are at most 1: leave out what was picked by its score.")
    inverse = 1 / wide
    result: FloatArray = inverse / inverse.mean() if len(wide) else inverse
    return result


def weigh_strata(strata: Sequence[str], *, sizes: Mapping[str, int], fewest: int = FEWEST) -> FloatArray:
    """Weights (N,) of mean 1 of a sample that stands for strata of these `sizes`: `weigh_inverse` of what is in it.

    `strata` names each item's. Those with the fewest items are taken together, with whatever has none, until they have
    `fewest` (collapsed strata: Cochran 1977, 5A.12), so that one item never stands for a whole laboratory.
    """
    counts = Counter(strata)
    group: dict[str, int] = {}
    items = 0
    for name in sorted({*sizes, *counts}, key=lambda one: (counts[one], one)):
        group[name] = 0 if items < fewest else len(group)
        items += counts[name]
    of_item = np.array([group[name] for name in strata], dtype=np.int64)
    many = np.bincount(of_item, minlength=len(group))
    size = np.zeros(len(group))
    for name, place in group.items():
        size[place] += max(sizes.get(name, 0), counts[name])
    return weigh_inverse(many[of_item] / size[of_item])


def weigh_lure(proposal: NDArray[np.floating], *, pool: int) -> FloatArray:
    """Weights (M,) of items taken one after another, the m-th with probability `proposal[m]` among those left.

    The mean of weight x loss is then without bias for the pool of N items, whatever the proposals were (LURE: Farquhar,
    Gal and Rainforth 2021, equation 5). A proposal of 0 says that the item was taken by its score: it stands for
    itself, what was drawn after it for all that was left, and the draws are averaged as there. Raises ValueError for
    more items than the pool has, for a probability outside 0 to 1, and where nothing was drawn.
    """
    wide = np.asarray(proposal, dtype=np.float64)
    if not ((wide >= 0) & (wide <= 1)).all():
        raise ValueError("Probabilities lie between 0 and 1.")
    if len(wide) > pool:
        raise ValueError(f"{len(wide)} items cannot be drawn from a pool of {pool}.")
    if len(wide) == pool:
        return np.ones(pool)
    drawn = wide > 0
    if not drawn.any():
        raise ValueError("Nothing was drawn by chance: what was taken by its score stands for nothing but itself.")
    left = pool - np.arange(len(wide), dtype=np.float64)
    # How much each draw's own estimate of the pool counts: the later ones have less left to guess.
    share = np.where(drawn, 1 / (left * (left - 1)), 0.0)
    share /= share.sum()
    own = share / np.where(drawn, wide, 1.0)
    after = 1 - np.cumsum(share)
    result: FloatArray = len(wide) / pool * (own + after)
    return result
