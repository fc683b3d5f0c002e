"""How a slide is cut into regions.

Decides the grid and which of its squares hold enough tissue; refuses to know pixels, studies and rows. The
same slide, mask and parameters always give the same rectangles in the same order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from learning.slides.tissue import Tissue

Progress = Callable[[int, int], None]


def edge_for(*, region_px: int, requested_um_per_px: float | None, slide_pixel_size: tuple[float, float] | None) -> int:
    """Return the edge in level-0 pixels of a region that is `region_px` wide at `requested_um_per_px`.

    Without a request, or on a slide of unknown pixel size, it is `region_px` level-0 pixels: a size is never
    guessed, and the caller says so. ValueError for sizes that are not positive.
    """
    if region_px < 1:
        raise ValueError(f"A region needs at least one pixel, not {region_px}.")
    if requested_um_per_px is None or slide_pixel_size is None:
        return region_px
    if not requested_um_per_px > 0:
        raise ValueError(f"The requested pixel size must be above 0 µm, not {requested_um_per_px}.")
    across, down = slide_pixel_size
    return max(1, round(region_px * requested_um_per_px / ((across + down) / 2)))


def tile(
    *,
    dimensions: tuple[int, int],
    tissue: Tissue,
    edge_px: int,
    min_tissue: float = 0.25,
    progress: Progress | None = None,
) -> NDArray[np.int32]:
    """Return int32 (N, 4) x, y, width, height in level-0 pixels of the squares with enough tissue, row by
    row.

    The grid does not overlap and is centred: what is left over is shared between the edges. A slide smaller
    than a square is one region. `min_tissue` is the share (0 to 1) of a square under the mask; 0 keeps every
    square. `progress` is called with (rows done, rows in all).
    """
    if edge_px < 1 or not 0 <= min_tissue <= 1:
        raise ValueError(f"Tiles need an edge of at least 1 px and a share within 0 to 1, not {edge_px}, {min_tissue}.")
    columns, tile_width = _grid(dimensions[0], edge_px)
    rows, tile_height = _grid(dimensions[1], edge_px)
    share = _shares(tissue.mask, dimensions, (columns, tile_width), (rows, tile_height), progress)
    row, column = np.nonzero(share >= min_tissue)
    regions = np.empty((len(row), 4), dtype=np.int32)
    regions[:, 0], regions[:, 1] = columns[column], rows[row]
    regions[:, 2], regions[:, 3] = tile_width, tile_height
    return regions


def tiling_digest(regions: NDArray[np.int32]) -> str:
    """Return the SHA-256 (hex) of rectangles (N, 4) in their order: what a feature shard's rows belong to."""
    rectangles = np.ascontiguousarray(regions, dtype="<i4").reshape(-1, 4)
    return hashlib.sha256(b"concord-tiling-1\n" + rectangles.tobytes()).hexdigest()


def _grid(length: int, edge: int) -> tuple[NDArray[np.int64], int]:
    """Return the starts of the squares along one axis, and their extent."""
    count = length // edge
    if count == 0:
        return np.zeros(1, dtype=np.int64), length
    return (length - count * edge) // 2 + edge * np.arange(count, dtype=np.int64), edge


def _shares(
    mask: NDArray[np.bool_],
    dimensions: tuple[int, int],
    across: tuple[NDArray[np.int64], int],
    down: tuple[NDArray[np.int64], int],
    progress: Progress | None,
) -> NDArray[np.float64]:
    """Return (rows, columns) the exact share of mask in each square, by an interpolated integral image."""
    height, width = mask.shape
    integral = np.zeros((height + 1, width + 1))
    integral[1:, 1:] = mask.cumsum(axis=0, dtype=np.float64).cumsum(axis=1)
    left = across[0] * (width / dimensions[0])
    right = (across[0] + across[1]) * (width / dimensions[0])
    top = down[0] * (height / dimensions[1])
    bottom = (down[0] + down[1]) * (height / dimensions[1])
    by_column = _interpolate(integral.T, right) - _interpolate(integral.T, left)
    shares = np.empty((len(top), len(left)))
    for index in range(len(top)):
        upper, lower = top[index : index + 1], bottom[index : index + 1]
        covered = (_interpolate(by_column.T, lower) - _interpolate(by_column.T, upper))[0]
        shares[index] = covered / ((right - left) * (lower - upper))
        if progress is not None:
            progress(index + 1, len(top))
    # Sums of many small numbers: a full square must count as full.
    return np.round(shares, 9)


def _interpolate(table: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows of `table` at fractional positions, linearly between neighbours."""
    low = np.clip(np.floor(at).astype(np.int64), 0, len(table) - 2)
    weight = (at - low)[:, None]
    return table[low] * (1 - weight) + table[low + 1] * weight
