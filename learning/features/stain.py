"""Pixels to light absorbed: optical density against the local background, stain channels, Lab.

Decides how colour is measured. Refuses to know what the colours mean or where the cell is.
"""

import numpy as np
from numpy.typing import NDArray
from skimage.color import hed_from_rgb, rgb2lab

FloatArray = NDArray[np.float32]

_LOG_TABLE = np.log(np.arange(256, dtype=np.float32) + 1.0)
_BACKGROUND_PERCENTILE = 95
_DENSITY_RANGE = (-0.3, 3.0)


def measure_density(pixels: NDArray[np.uint8]) -> FloatArray:
    """Optical density of each channel against the brightest part of its own region.

    Parameters: pixels (N, H, W, 3) uint8. Returns (N, H, W, 3) float32, natural-log units.
    Dividing by a background of the same region cancels most of the illumination of a lab.
    """
    background = np.percentile(pixels[:, ::3, ::3], _BACKGROUND_PERCENTILE, axis=(1, 2)).astype(np.float32)
    density = np.log(background + 1.0)[:, None, None, :] - _LOG_TABLE[pixels]
    result: FloatArray = np.clip(density, *_DENSITY_RANGE, out=density)
    return result


def separate_stains(density: FloatArray) -> FloatArray:
    """Unmix density (N, H, W, 3) into haematoxylin, eosin and DAB (Ruifrok and Johnston 2001)."""
    result: FloatArray = density @ hed_from_rgb.astype(np.float32)
    return result


def convert_to_lab(pixels: NDArray[np.uint8]) -> FloatArray:
    """CIE Lab of every second pixel, (N, H/2, W/2, 3) float32: absolute colour, lab included."""
    result: FloatArray = rgb2lab(pixels[:, ::2, ::2].astype(np.float32) / 255.0).astype(np.float32)
    return result
