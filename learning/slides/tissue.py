"""Where a slide has tissue or cells, on a small overview.

Decides between bright and dark ground and where the line lies; refuses to know tiles, stains and diagnoses.
Pen marks and coverslip edges count as tissue: a person can skip a region, nobody can ask for one that was
never cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from learning.slides.contract import Pixels, SlideReader
from learning.slides.resampling import estimate_background, is_dark
from learning.slides.thresholds import drop_small, otsu, otsu_three

# Optical density (log10) over the ground. Below the first is noise and uneven light; above the second there
# is tissue in any stain, however dark the rest of the slide is.
_FAINTEST_DENSITY, _SUREST_DENSITY = 0.035, 0.07
# Grey values by which autofluorescence must stand out of the dark ground.
_FAINTEST_GLOW = 3.0
# In overview pixels: gaps bridged between parts of one piece, specks dropped.
_BRIDGED_PX = 5
_SPECK_PX = 16
# Holes up to this share of the overview are part of the tissue (lumina, pale centres of cells, gaps between
# nuclei).
_HOLE_SHARE = 0.002


@dataclass(frozen=True, kw_only=True)
class Tissue:
    """mask: bool (height, width); downsample: level-0 pixels per mask pixel; share: of the slide, 0 to 1."""

    mask: NDArray[np.bool_]
    downsample: float
    share: float
    background: Literal["bright", "dark"]


def find_tissue(reader: SlideReader, *, max_edge: int = 1024) -> Tissue:
    """Find tissue on an overview whose longer edge is at most `max_edge` pixels. SlideError where it can't be
    read.
    """
    overview = reader.thumbnail(max_edge)
    dark = is_dark(overview)
    mask = _clean(_glowing(overview) if dark else _absorbing(overview))
    return Tissue(
        mask=mask,
        downsample=max(reader.dimensions) / max(mask.shape),
        share=float(mask.mean()),
        background="dark" if dark else "bright",
    )


def _absorbing(overview: Pixels) -> NDArray[np.bool_]:
    """Bright field: what absorbs light in any channel (Beer-Lambert), split by Otsu (1979) between fixed
    bounds.
    """
    ground = np.array(_bright_ground(overview), dtype=np.float32)
    smooth = ndimage.gaussian_filter(overview.astype(np.float32), sigma=(1, 1, 0))
    density = np.log10((ground + 1) / (smooth + 1)).max(axis=2)
    line = otsu(density) if np.ptp(density) > 0 else np.inf
    mask: NDArray[np.bool_] = density > np.clip(line, _FAINTEST_DENSITY, _SUREST_DENSITY)
    return mask


def _bright_ground(overview: Pixels) -> tuple[int, int, int]:
    """The colour of clear glass. Where the commonest bright colour is pink or violet, there is none."""
    red, green, blue = estimate_background(overview)
    if (red + blue) / 2 - green > 12:
        white = round(float(np.quantile(overview.max(axis=2), 0.995)))
        return white, white, white
    return red, green, blue


def _glowing(overview: Pixels) -> NDArray[np.bool_]:
    """Fluorescence: what stands out of the dark ground, faint autofluorescence between the nuclei included.

    On a logarithmic scale there are three groups: ground, stroma, stained nuclei (Liao's multi-level Otsu,
    2001).
    """
    light = ndimage.gaussian_filter(overview.max(axis=2).astype(np.float32), sigma=3)
    dimmest = float(np.quantile(light, 0.02)) + _FAINTEST_GLOW
    if np.ptp(light) < _FAINTEST_GLOW:
        return np.zeros(light.shape, dtype=bool)
    lowest, _ = otsu_three(np.log1p(light))
    mask: NDArray[np.bool_] = light > max(float(np.expm1(lowest)), dimmest)
    return mask


def _clean(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Bridge small gaps, fill small holes, drop specks."""
    padded = np.pad(mask, _BRIDGED_PX, mode="edge")
    ball = np.hypot(*np.mgrid[-2:3, -2:3]) <= 2.3
    closed = ndimage.binary_closing(padded, structure=ball, iterations=_BRIDGED_PX // 2)
    closed = closed[_BRIDGED_PX:-_BRIDGED_PX, _BRIDGED_PX:-_BRIDGED_PX]
    filled = ~drop_small(~closed, largest=max(1, int(mask.size * _HOLE_SHARE)))
    return drop_small(filled, largest=_SPECK_PX)
