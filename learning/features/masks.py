"""Where the thing in the middle is: the object and the darkest-stained blob inside a region.

Decides thresholds and connected parts. Refuses to know classes; an empty mask is an answer.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from learning.features.stain import FloatArray

BoolArray = NDArray[np.bool_]

_BINS = 64
_IN_PLANE = np.zeros((3, 3, 3), dtype=bool)
_IN_PLANE[1] = ndimage.generate_binary_structure(2, 1)


def threshold_otsu(values: FloatArray, *, low: float, high: float) -> FloatArray:
    """Otsu's threshold (1979) of each image of (N, H, W), from 64 bins between low and high; (N,)."""
    count = len(values)
    bins = np.clip((values - low) * (_BINS / (high - low)), 0, _BINS - 1).astype(np.int64)
    bins += (np.arange(count) * _BINS)[:, None, None]
    histogram = np.bincount(bins.ravel(), minlength=count * _BINS).reshape(count, _BINS).astype(np.float64)
    histogram /= histogram.sum(axis=1, keepdims=True)
    weight = histogram.cumsum(axis=1)
    mean = (histogram * np.arange(_BINS)).cumsum(axis=1)
    between = (mean[:, -1:] * weight - mean) ** 2 / np.maximum(weight * (1 - weight), 1e-9)
    best = between.argmax(axis=1)
    result: FloatArray = (low + (best + 1) * (high - low) / _BINS).astype(np.float32)
    return result


def find_object(darkness: FloatArray) -> BoolArray:
    """The dark part nearest the centre of each image of (N, H, W), holes filled."""
    threshold = np.maximum(threshold_otsu(darkness, low=0.0, high=1.5), 0.05)
    dark = darkness > threshold[:, None, None]
    return _fill_holes(_keep_central(dark))


def find_nucleus(red_density: FloatArray, darkness: FloatArray, central: BoolArray) -> BoolArray:
    """Pixels of the darkest stain near the centre (N, H, W); many parts when it is lobed.

    Basic dyes of a nucleus absorb red light, which haemoglobin and eosin hardly do.
    """
    score = red_density + 0.25 * darkness
    threshold = np.maximum(threshold_otsu(score, low=0.0, high=2.0), 0.25)
    return (score > threshold[:, None, None]) & (central | _central_disc(score.shape[1:], share=0.25))


def _central_disc(shape: tuple[int, ...], *, share: float) -> BoolArray:
    rows, columns = np.indices(shape)
    height, width = shape
    result: BoolArray = np.hypot(rows - (height - 1) / 2, columns - (width - 1) / 2) <= share * min(height, width)
    return result


def _keep_central(mask: BoolArray) -> BoolArray:
    labels, parts = ndimage.label(mask, structure=_IN_PLANE)
    rows, columns = np.indices(mask.shape[1:])
    height, width = mask.shape[1:]
    distance2 = (rows - (height - 1) / 2) ** 2 + (columns - (width - 1) / 2) ** 2
    nearness = np.exp(-distance2 / (2 * (0.15 * min(height, width)) ** 2)).astype(np.float32)
    mass = np.bincount(labels.ravel(), np.broadcast_to(nearness, mask.shape).ravel(), minlength=parts + 1)
    image_of = np.zeros(parts + 1, dtype=np.int64)
    where = np.nonzero(mask)
    image_of[labels[where]] = where[0]
    kept = np.zeros(parts + 1, dtype=bool)
    order = np.argsort(mass[1:], kind="stable") + 1
    winner = np.zeros(len(mask), dtype=np.int64)
    winner[image_of[order]] = order
    kept[winner] = True
    kept[0] = False
    result: BoolArray = kept[labels]
    return result


def _fill_holes(mask: BoolArray) -> BoolArray:
    labels, parts = ndimage.label(~mask, structure=_IN_PLANE)
    outside = np.zeros(parts + 1, dtype=bool)
    for edge in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]):
        outside[edge.ravel()] = True
    result: BoolArray = mask | ~outside[labels]
    return result
