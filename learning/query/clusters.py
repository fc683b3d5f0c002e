"""Groups of regions that look alike: k-means that repeats exactly.

Decides start and steps of the clustering. Refuses to know what the groups are used for.
"""

import numpy as np
from numpy.typing import NDArray

from learning.query.request import FloatArray

_STEPS = 20


def reduce_dimensions(rows: FloatArray, *, dimensions: int) -> tuple[FloatArray, FloatArray]:
    """Rows (n, D) on their first principal axes (n, d), and the axes (D, d); neighbours mean more there."""
    covariance = (rows.T @ rows / np.float32(len(rows))).astype(np.float64)
    _, directions = np.linalg.eigh(covariance)
    axes = directions[:, ::-1][:, :dimensions].astype(np.float32)
    return rows @ axes, axes


def find_centres(rows: FloatArray, *, count: int, generator: np.random.Generator) -> FloatArray:
    """Centres (k, d) of rows (n, d): k-means++ (Arthur and Vassilvitskii 2007), then Lloyd's steps."""
    centres = _seed_centres(rows, count, generator)
    for _ in range(_STEPS):
        nearest = assign_nearest(rows, centres)
        sizes = np.bincount(nearest, minlength=count)
        order = np.argsort(nearest, kind="stable")
        edges = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        filled = sizes > 0
        moved = centres.copy()
        sums = np.add.reduceat(rows[order], edges[filled], axis=0)
        moved[filled] = sums / sizes[filled][:, None]
        if np.array_equal(moved, centres):
            break
        centres = moved
    return centres


def assign_nearest(rows: FloatArray, centres: FloatArray) -> NDArray[np.int64]:
    """Index of the nearest centre (k, d) of each row (n, d)."""
    result: NDArray[np.int64] = (rows @ centres.T - 0.5 * np.square(centres).sum(axis=1)).argmax(axis=1)
    return result


def _seed_centres(rows: FloatArray, count: int, generator: np.random.Generator) -> FloatArray:
    chosen = [int(generator.integers(len(rows)))]
    distance = np.square(rows - rows[chosen[0]]).sum(axis=1).astype(np.float64)
    while len(chosen) < count:
        total = distance.cumsum()
        target = generator.random() * total[-1]
        following = min(int(np.searchsorted(total, target, side="right")), len(rows) - 1)
        chosen.append(following)
        np.minimum(distance, np.square(rows - rows[following]).sum(axis=1), out=distance)
    return rows[chosen]
