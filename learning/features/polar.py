"""A region seen from the centre of its object: rings, and how they vary around the circle.

Decides ring geometry. Turning the region leaves the numbers alone; that is the point.
"""

import numpy as np

from learning.features.stain import FloatArray

RINGS = 12
ANGLES = 32
HARMONICS = 6


def describe_rings(channels: FloatArray, *, centre: FloatArray, radius: FloatArray) -> FloatArray:
    """Ring means and magnitudes of their first angular harmonics.

    Parameters: channels (N, H, W, C); centre (N, 2) row and column; radius (N,) outermost ring, px.
    Returns (N, RINGS * HARMONICS * C) float32; harmonic 0 is the mean of the ring.
    """
    rings = (np.arange(RINGS, dtype=np.float32) + 0.5) / RINGS
    angles = np.arange(ANGLES, dtype=np.float32) * (2 * np.pi / ANGLES)
    distance = radius[:, None, None] * rings[None, :, None]
    rows = centre[:, 0, None, None] + distance * np.sin(angles)
    columns = centre[:, 1, None, None] + distance * np.cos(angles)
    samples = _sample(channels, rows, columns)
    power = np.abs(np.fft.rfft(samples, axis=2)[:, :, :HARMONICS]) / ANGLES
    power[:, :, 0] = samples.mean(axis=2)
    return power.reshape(len(channels), -1).astype(np.float32)


def _sample(channels: FloatArray, rows: FloatArray, columns: FloatArray) -> FloatArray:
    count, height, width, _ = channels.shape
    image = np.arange(count)[:, None, None]
    rows = np.clip(rows, 0, height - 1.001)
    columns = np.clip(columns, 0, width - 1.001)
    top, left = rows.astype(np.int64), columns.astype(np.int64)
    down, right = (rows - top)[..., None], (columns - left)[..., None]
    upper = channels[image, top, left] * (1 - right) + channels[image, top, left + 1] * right
    lower = channels[image, top + 1, left] * (1 - right) + channels[image, top + 1, left + 1] * right
    result: FloatArray = upper * (1 - down) + lower * down
    return result
