"""Otsu's thresholds and the removal of small things from a mask, by numpy and scipy alone.

Decides the arithmetic; refuses to know slides. The web process previews a tiling with the very mask that a worker
cuts by, so nothing here may load a large library.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

BINS = 256


def otsu(values: NDArray[np.float32]) -> float:
    """Return the value that splits `values` into two groups of least spread (Otsu, 1979). They are not all equal."""
    counts, centres = _histogram(values)
    below, sum_below = counts.cumsum(), (counts * centres).cumsum()
    above, sum_above = below[-1] - below[:-1], sum_below[-1] - sum_below[:-1]
    gap = sum_below[:-1] / below[:-1] - sum_above / above
    return float(centres[:-1][(below[:-1] * above * gap**2).argmax()])


def otsu_three(values: NDArray[np.float32]) -> tuple[float, float]:
    """Return the two values that split `values` into three groups of least spread (Liao, 2001)."""
    counts, centres = _histogram(values)
    weight = np.concatenate([[0.0], counts.cumsum()])
    moment = np.concatenate([[0.0], (counts * np.arange(BINS)).cumsum()])

    def spread(start: NDArray[np.intp] | int, end: NDArray[np.intp] | int) -> NDArray[np.float64]:
        share = weight[end] - weight[start]
        score: NDArray[np.float64] = (moment[end] - moment[start]) ** 2 / np.where(share > 0, share, np.inf)
        return score

    first, second = np.triu_indices(BINS - 1, 1)
    best = (spread(0, first + 1) + spread(first + 1, second + 1) + spread(second + 1, BINS)).argmax()
    return float(centres[first[best]]), float(centres[second[best]])


def drop_small(mask: NDArray[np.bool_], *, largest: int) -> NDArray[np.bool_]:
    """Return `mask` without its connected pieces (by edges) of at most `largest` pixels."""
    labels, count = ndimage.label(mask)
    keep = np.bincount(labels.ravel(), minlength=count + 1) > largest
    keep[0] = False
    kept: NDArray[np.bool_] = keep[labels]
    return kept


def _histogram(values: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    counts, edges = np.histogram(values, bins=BINS)
    return counts.astype(np.float64), (edges[:-1] + edges[1:]) / 2
