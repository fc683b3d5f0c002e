"""Tissue that no region covers, on slides that were meant to be covered.

Decides how much is missing, in squares as large as a region. Refuses to know slides' files.
"""

import math

import numpy as np
from numpy.typing import NDArray

from learning.slides.tiling import tile
from learning.slides.tissue import Tissue

TILED_SHARE = 0.5
"""Regions on cells that somebody chose cover little of the tissue; from this share on, a slide was to be covered."""
_LEAST_TISSUE = 0.5
_LEAST_OPEN = 0.75


def count_uncovered(tissue: Tissue, *, dimensions: tuple[int, int], regions: NDArray[np.int32]) -> int:
    """Squares of mostly tissue, as large as the median region, of which regions (N, 4) cover next to nothing.

    0 where regions cover less than `TILED_SHARE` of the tissue: there they were chosen one by one.
    """
    covered = np.zeros(tissue.mask.shape, dtype=bool)
    height, width = tissue.mask.shape[:2]
    across, down = width / dimensions[0], height / dimensions[1]
    for x, y, wide, high in regions.tolist():
        left, top = math.floor(x * across), math.floor(y * down)
        covered[max(top, 0) : math.ceil((y + high) * down), max(left, 0) : math.ceil((x + wide) * across)] = True
    area = int(tissue.mask.sum())
    if area == 0 or len(regions) == 0 or (covered & tissue.mask).sum() < TILED_SHARE * area:
        return 0
    edge = max(1, round(float(np.median(regions[:, 2:]))))
    squares = tile(dimensions=dimensions, tissue=tissue, edge_px=edge, min_tissue=_LEAST_TISSUE)
    missing = 0
    for x, y, wide, high in squares.tolist():
        part = covered[
            math.floor(y * down) : math.ceil((y + high) * down), math.floor(x * across) : math.ceil((x + wide) * across)
        ]
        missing += bool(part.size) and float((~part).mean()) >= _LEAST_OPEN
    return missing
