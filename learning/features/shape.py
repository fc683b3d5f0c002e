"""Form of a mask in numbers that do not change when the region is turned.

Decides areas, moments, lobes and outline. Refuses to know how the mask was found.
"""

import numpy as np
from scipy import ndimage

from learning.features.masks import BoolArray
from learning.features.stain import FloatArray

SECTORS = 24
_HARMONICS = 9
_EROSIONS = (3, 5, 9, 13, 19)
_IN_PLANE = np.zeros((3, 3, 3), dtype=bool)
_IN_PLANE[1] = True


def locate_centre(mask: BoolArray) -> FloatArray:
    """Centre of mass (row, column) of each mask (N, H, W), the image centre where it is empty; (N, 2)."""
    count, height, width = mask.shape
    area = np.maximum(mask.sum(axis=(1, 2)), 1)
    rows = mask.sum(axis=2) @ np.arange(height) / area
    columns = mask.sum(axis=1) @ np.arange(width) / area
    centre = np.stack([rows, columns], axis=1)
    empty = ~mask.any(axis=(1, 2))
    centre[empty] = ((height - 1) / 2, (width - 1) / 2)
    return centre.astype(np.float32)


def describe_shape(mask: BoolArray) -> FloatArray:
    """Area, outline, elongation, parts, thickness and outline harmonics of (N, H, W) masks; (N, 22)."""
    count, height, width = mask.shape
    area = mask.sum(axis=(1, 2)).astype(np.float64)
    safe = np.maximum(area, 1.0)
    edges = (mask[:, 1:] != mask[:, :-1]).sum(axis=(1, 2)) + (mask[:, :, 1:] != mask[:, :, :-1]).sum(axis=(1, 2))
    basics = [
        np.sqrt(area / (height * width)),
        area / (height * width),
        np.log1p(edges) - 0.5 * np.log(safe),
        mask[:, [0, -1]].mean(axis=(1, 2)) + mask[:, :, [0, -1]].mean(axis=(1, 2)),
    ]
    return np.column_stack(
        [
            *basics,
            _measure_elongation(mask, safe),
            _count_parts(mask, safe),
            _thin(mask, safe),
            _outline(mask),
        ]
    ).astype(np.float32)


def _measure_elongation(mask: BoolArray, area: np.ndarray) -> np.ndarray:
    centre = locate_centre(mask)
    rows = np.arange(mask.shape[1])[None, :] - centre[:, :1]
    columns = np.arange(mask.shape[2])[None, :] - centre[:, 1:]
    solid = mask.astype(np.float32)
    along_rows = (solid.sum(axis=2) * rows**2).sum(axis=1) / area
    along_columns = (solid.sum(axis=1) * columns**2).sum(axis=1) / area
    mixed = np.einsum("nr,nrc,nc->n", rows, solid, columns, optimize=True) / area
    spread = np.hypot((along_rows - along_columns) / 2, mixed)
    middle = (along_rows + along_columns) / 2
    major, minor = middle + spread, np.maximum(middle - spread, 0.0)
    roundness = 2 * np.pi * (major + minor) / area
    return np.column_stack([np.sqrt(minor / np.maximum(major, 1e-6)), roundness])


def _count_parts(mask: BoolArray, area: np.ndarray) -> np.ndarray:
    labels, parts = ndimage.label(mask, structure=_IN_PLANE)
    sizes = np.bincount(labels.ravel(), minlength=parts + 1)
    image_of = np.zeros(parts + 1, dtype=np.int64)
    where = np.nonzero(mask)
    image_of[labels[where]] = where[0]
    share = sizes / area[image_of]
    share[0] = 0.0
    effective = np.bincount(image_of, share**2, minlength=len(mask))
    counted = np.bincount(image_of, share > 0.05, minlength=len(mask))
    return np.column_stack([counted, 1.0 / np.maximum(effective, 0.05)])


def _thin(mask: BoolArray, area: np.ndarray) -> np.ndarray:
    solid = mask.view(np.uint8)
    left = []
    for width in _EROSIONS:
        eroded = ndimage.minimum_filter(solid, size=(1, width, width), mode="constant")
        left.append(eroded.sum(axis=(1, 2)) / area)
    return np.column_stack(left)


def _outline(mask: BoolArray) -> np.ndarray:
    count = len(mask)
    image, row, column = np.nonzero(mask)
    centre = locate_centre(mask)
    angle = np.arctan2(row - centre[image, 0], column - centre[image, 1])
    sector = np.floor((angle + np.pi) * (SECTORS / (2 * np.pi))).astype(np.int64) % SECTORS
    mass = np.bincount(image * SECTORS + sector, minlength=count * SECTORS).reshape(count, SECTORS)
    radius = np.sqrt(mass)
    power = np.abs(np.fft.rfft(radius, axis=1)) / np.maximum(radius.sum(axis=1, keepdims=True), 1e-6)
    result: np.ndarray = power[:, 1 : 1 + _HARMONICS]
    return result
