"""How colour is distributed in the parts of a region, as moments and percentiles.

Decides which statistics of colour count. Refuses to know how the parts were found.
"""

import numpy as np

from learning.features.masks import BoolArray
from learning.features.stain import FloatArray

_PERCENTILES = (10, 25, 50, 75, 90)


def describe_colour(*, density: FloatArray, lab: FloatArray, parts: BoolArray) -> FloatArray:
    """Mean, spread and skew of every channel in every part, and percentiles over the region.

    Parameters: density (N, H, W, C) stain channels, lab (N, H, W, 3), parts (N, H, W, M) masks.
    Returns (N, 3 * M * (C + 3) + 5 * C) float32.
    """
    count = len(density)
    channels = np.concatenate([density, lab * np.float32(0.02)], axis=-1)
    quantiles = np.percentile(density, _PERCENTILES, axis=(1, 2))
    moments = _measure_moments(
        channels.reshape(count, -1, channels.shape[-1]), parts.reshape(count, -1, parts.shape[-1])
    )
    return np.concatenate([moments, np.moveaxis(quantiles, 0, 1).reshape(count, -1)], axis=1).astype(np.float32)


def _measure_moments(values: FloatArray, parts: BoolArray) -> FloatArray:
    weight = parts.transpose(0, 2, 1).astype(np.float32)
    weight /= np.maximum(weight.sum(axis=2, keepdims=True), 1.0)
    squares = values * values
    first, second, third = weight @ values, weight @ squares, weight @ (squares * values)
    spread = np.sqrt(np.maximum(second - first**2, 0.0))
    skew = np.cbrt(third - 3 * first * second + 2 * first**3)
    return np.concatenate([first, spread, skew], axis=2).reshape(len(values), -1)
