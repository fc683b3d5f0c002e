"""When two regions look alike: standardised features, cosine, near-duplicates, and what holds around a region.

Decides the space in which distance is measured. Refuses to know scores and classes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learning.features.rows import FeatureRows
from learning.query.request import FloatArray, Rows

_SAMPLE = 4096
_BLOCK = 2048
_NEAREST = 11


@dataclass(frozen=True)
class Space:
    """Features shifted and scaled by the pool's own mean and spread (D,)."""

    mean: FloatArray
    spread: FloatArray

    def standardise(self, features: NDArray[np.floating]) -> FloatArray:
        """Rows (n, D) in units of the pool's spread."""
        result: FloatArray = (features - self.mean) / self.spread
        return result

    def point(self, features: NDArray[np.floating]) -> FloatArray:
        """Rows (n, D) as unit vectors, so that a product of two is their cosine."""
        rows = self.standardise(features)
        norm = np.sqrt(np.einsum("nd,nd->n", rows, rows))
        result: FloatArray = rows / np.maximum(norm, 1e-6)[:, None]
        return result


def measure_space(features: FeatureRows, *, rows: Rows, generator: np.random.Generator) -> Space:
    """Mean and spread from at most 4,096 of the rows."""
    sample = np.sort(generator.choice(rows, size=min(_SAMPLE, len(rows)), replace=False))
    values = features.take(sample)
    spread = values.std(axis=0, dtype=np.float64).astype(np.float32)
    return Space(mean=values.mean(axis=0, dtype=np.float64).astype(np.float32), spread=np.maximum(spread, 1e-3))


def average_nearest(points: FloatArray, *, crowd: FloatArray, values: FloatArray) -> FloatArray:
    """Mean over the rows of a crowd (m, D) most like each point (n, D) of their value (m,) times their cosine; (n,).

    Eleven rows: the point itself, where the crowd holds it, and the ten next to it. What points away counts as nothing.
    """
    count = min(_NEAREST, len(crowd))
    result = np.empty(len(points), dtype=np.float32)
    for start in range(0, len(points), _BLOCK):
        cosine = points[start : start + _BLOCK] @ crowd.T
        nearest = np.argpartition(-cosine, count - 1, axis=1)[:, :count]
        alike = np.maximum(np.take_along_axis(cosine, nearest, axis=1), 0)
        result[start : start + _BLOCK] = (alike * values[nearest]).mean(axis=1)
    return result


def find_duplicates(
    points: FloatArray, *, of: Rows, features: FeatureRows, space: Space, cosine: float
) -> NDArray[np.bool_]:
    """Which points (n, D) have a cosine above the threshold with any row in `of`; (n,)."""
    found = np.zeros(len(points), dtype=bool)
    for start in range(0, len(of), _BLOCK):
        others = space.point(features.take(of[start : start + _BLOCK]))
        found |= (points @ others.T).max(axis=1) > cosine
    return found
