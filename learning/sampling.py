"""What an item stands for that was not drawn like every other: weights that take the draw's favour back.

Decides the weights from the probabilities of the draws. Refuses to know what is estimated with them (`metrics`).
"""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def weigh_inverse(probability: NDArray[np.floating]) -> FloatArray:
    """Weights (N,) of mean 1, in proportion to one over the inclusion probability (Hajek 1971).

    Raises ValueError for a probability outside 0 to 1, or 0 itself: what was picked by its score stands for nothing
    but itself.
    """
    wide = np.asarray(probability, dtype=np.float64)
    _check(wide)
    inverse = 1 / wide
    result: FloatArray = inverse / inverse.mean() if len(wide) else inverse
    return result


def weigh_lure(proposal: NDArray[np.floating], *, pool: int) -> FloatArray:
    """Weights (M,) of items drawn one after another, the m-th with probability `proposal[m]` among those left.

    The mean of weight x loss is then without bias for the pool of N items, whatever the proposals were (LURE: Farquhar,
    Gal and Rainforth 2021, equation 5). Raises ValueError for more draws than items, or a probability outside 0 to 1.
    """
    wide = np.asarray(proposal, dtype=np.float64)
    _check(wide)
    if len(wide) > pool:
        raise ValueError(f"{len(wide)} items cannot be drawn from a pool of {pool}.")
    left = pool - np.arange(len(wide), dtype=np.float64)
    if len(wide) == pool:
        return np.ones(pool)
    result: FloatArray = 1 + (pool - len(wide)) / (left - 1) * (1 / (left * wide) - 1)
    return result


def _check(probability: FloatArray) -> None:
    if not ((probability > 0) & (probability <= 1)).all():
        raise ValueError("Probabilities lie above 0 and are at most 1: leave out what was picked by its score.")
