"""Surface of a region: local binary patterns, band-pass energies, variograms, gradient directions.

Decides scales and bins. Refuses to know where the cell is beyond the mask it is handed.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from learning.features.masks import BoolArray
from learning.features.stain import FloatArray

_NEIGHBOURS = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))
_DIRECTIONS = 16


def _tabulate_patterns() -> NDArray[np.int64]:
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    changes = (bits != np.roll(bits, 1, axis=1)).sum(axis=1)
    return np.where(changes <= 2, bits.sum(axis=1), 9)


_PATTERNS = _tabulate_patterns()


def count_patterns(image: FloatArray, mask: BoolArray, *, steps: tuple[int, ...] = (1, 2, 4)) -> FloatArray:
    """Rotation-invariant uniform local binary patterns (Ojala et al. 2002) under a mask.

    Parameters: image and mask (N, H, W). Returns (N, 10 * len(steps)), square roots of shares.
    """
    found = [_histogram_patterns(image, mask, step) for step in steps]
    return np.concatenate(found, axis=1).astype(np.float32)


def _histogram_patterns(image: FloatArray, mask: BoolArray, step: int) -> np.ndarray:
    count, height, width = image.shape
    inner = (slice(None), slice(step, height - step), slice(step, width - step))
    middle = np.ascontiguousarray(image[inner])
    code = np.zeros(middle.shape, dtype=np.uint8)
    for bit, (down, right) in enumerate(_NEIGHBOURS):
        rows = slice(step + down * step, height - step + down * step)
        columns = slice(step + right * step, width - step + right * step)
        code |= (image[:, rows, columns] >= middle).view(np.uint8) << np.uint8(bit)
    pattern = _PATTERNS[code] + (np.arange(count) * 10)[:, None, None]
    histogram = np.bincount(pattern[mask[inner]], minlength=count * 10).reshape(count, 10)
    result: np.ndarray = np.sqrt(histogram / np.maximum(histogram.sum(axis=1, keepdims=True), 1))
    return result


def measure_bands(channels: FloatArray, mask: BoolArray, *, sigmas: tuple[float, ...] = (1.0, 2.0, 4.0)) -> FloatArray:
    """Log mean absolute band-pass response between neighbouring sigmas (px), in and out of the mask.

    Parameters: channels (N, H, W, C). Returns (N, 2 * C * len(sigmas)).
    """
    count, depth = len(channels), channels.shape[-1]
    weight = np.stack([mask, ~mask], axis=1).reshape(count, 2, -1).astype(np.float32)
    weight /= np.maximum(weight.sum(axis=2, keepdims=True), 1.0)
    energies = []
    finer = np.ascontiguousarray(channels)
    for sigma in sigmas:
        coarser = ndimage.gaussian_filter(finer, sigma=(0, sigma, sigma, 0), truncate=2.0)
        response = np.abs(finer - coarser).reshape(count, -1, depth)
        energies.append((weight @ response).reshape(count, -1))
        finer = coarser
    return np.log(np.concatenate(energies, axis=1) + 1e-3)


def measure_variogram(image: FloatArray, *, lags: tuple[int, ...] = (1, 2, 4, 8, 16)) -> FloatArray:
    """Mean squared difference at each lag (px) along both axes, as logarithm; (N, len(lags))."""
    values = []
    for lag in lags:
        down = np.square(image[:, lag:] - image[:, :-lag]).mean(axis=(1, 2))
        across = np.square(image[:, :, lag:] - image[:, :, :-lag]).mean(axis=(1, 2))
        values.append(np.log(down + across + 1e-4))
    return np.stack(values, axis=1).astype(np.float32)


def count_directions(image: FloatArray) -> FloatArray:
    """Gradient directions weighted by strength, as magnitudes of the histogram's harmonics; (N, 7)."""
    count = len(image)
    down = image[:, 2:, 1:-1] - image[:, :-2, 1:-1]
    across = image[:, 1:-1, 2:] - image[:, 1:-1, :-2]
    strength = np.hypot(down, across)
    turn = (np.arctan2(down, across) + np.pi) * (_DIRECTIONS / (2 * np.pi))
    bins = np.minimum(turn.astype(np.int64), _DIRECTIONS - 1) + (np.arange(count) * _DIRECTIONS)[:, None, None]
    histogram = np.bincount(bins.ravel(), strength.ravel(), minlength=count * _DIRECTIONS)
    power = np.abs(np.fft.rfft(histogram.reshape(count, _DIRECTIONS), axis=1))[:, :7]
    power[:, 1:] /= np.maximum(power[:, :1], 1e-6)
    power[:, 0] = np.log(power[:, 0] + 1e-3)
    return power.astype(np.float32)
