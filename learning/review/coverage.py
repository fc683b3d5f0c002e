"""Tissue that no region covers, on slides that were meant to be covered.

Decides how much is missing, in squares as large as a region. Refuses to know slides' files.
"""

import numpy as np
from numpy.typing import NDArray

from learning.slides.tissue import Tissue

TILED_SHARE = 0.5
"""Regions on cells that somebody chose cover little of the tissue; from this share on, a slide was to be covered."""
_LEAST_TISSUE = 0.5
_LEAST_OPEN = 0.75
_STEPS = 8
"""Squares are tried at every eighth of their edge: regions of other tools lie on no grid of ours."""


def count_uncovered(tissue: Tissue, *, dimensions: tuple[int, int], regions: NDArray[np.int32]) -> int:
    """Squares of mostly tissue, as large as the median region, of which regions (N, 4) cover next to nothing.

    The squares lie anywhere, and none on another. 0 where regions cover less than `TILED_SHARE` of the tissue: there
    they were chosen one by one.
    """
    covered = np.zeros(tissue.mask.shape, dtype=bool)
    height, width = tissue.mask.shape[:2]
    scale = np.array([width / dimensions[0], height / dimensions[1]])
    corners = np.column_stack([regions[:, :2], regions[:, :2] + regions[:, 2:]]) * np.tile(scale, 2)
    for left, top, right, bottom in np.maximum(np.rint(corners).astype(int), 0).tolist():
        covered[top : max(bottom, top + 1), left : max(right, left + 1)] = True
    area = int(tissue.mask.sum())
    if area == 0 or len(regions) == 0 or (covered & tissue.mask).sum() < TILED_SHARE * area:
        return 0
    wide, high = np.maximum(np.rint(np.median(regions[:, 2:], axis=0) * scale).astype(int), 1).tolist()
    if wide > width or high > height:
        return 0
    inside, free = _share(tissue.mask, wide, high), _share(~covered, wide, high)
    rows, columns = np.nonzero((inside >= _LEAST_TISSUE) & (free >= _LEAST_OPEN))
    on_step = (rows % max(1, high // _STEPS) == 0) & (columns % max(1, wide // _STEPS) == 0)
    rows, columns = rows[on_step], columns[on_step]
    emptiest_first = np.lexsort((columns, rows, -free[rows, columns]))
    return _count_apart(rows[emptiest_first], columns[emptiest_first], free.shape, wide, high)


def _share(mask: NDArray[np.bool_], wide: int, high: int) -> NDArray[np.float64]:
    """The share of the mask in the rectangle that begins at each place where it fits."""
    sums = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), dtype=np.int64)
    sums[1:, 1:] = mask.cumsum(axis=0).cumsum(axis=1)
    inside = sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide]
    return np.asarray(inside / (wide * high))


def _count_apart(
    rows: NDArray[np.intp], columns: NDArray[np.intp], shape: tuple[int, ...], wide: int, high: int
) -> int:
    """How many of the rectangles lie apart, each taken unless it lies on one before it."""
    is_taken = np.zeros(shape, dtype=bool)
    count = 0
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if not is_taken[row, column]:
            count += 1
            is_taken[max(0, row - high + 1) : row + high, max(0, column - wide + 1) : column + wide] = True
    return count
