"""How much of a region's dark stain belongs to the thing in its middle.

Decides what is one thing: stained parts that nearly touch, such as the lobes of a nucleus. Refuses to know classes.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from learning.features import stain

FloatArray = NDArray[np.float32]

# Basic dyes absorb red light; haemoglobin and eosin hardly do. Below it a region holds nothing to be told apart.
_LEAST_DENSITY = 0.25
_LEAST_SHARE = 0.015
# Parts of one thing lie nearer than this share of the region's side.
_BRIDGED = 0.06


def measure_purity(pixels: NDArray[np.uint8]) -> FloatArray:
    """Share (N,) of the dark stain of regions (N, H, W, 3) that lies in the part nearest the middle; 1 without any."""
    density = ndimage.gaussian_filter(stain.measure_density(pixels)[..., 0], sigma=(0, 1, 1))
    return np.array([_measure(one) for one in density], dtype=np.float32)


def _measure(density: FloatArray) -> float:
    height, width = density.shape
    dark = density > _LEAST_DENSITY
    if dark.mean() < _LEAST_SHARE:
        return 1.0
    reach = max(1, round(_BRIDGED * min(height, width)))
    labels, parts = ndimage.label(ndimage.binary_dilation(dark, iterations=reach))
    mass = np.bincount(labels[dark], density[dark], minlength=parts + 1)
    rows, columns = np.indices(density.shape)
    away = np.hypot(rows - (height - 1) / 2, columns - (width - 1) / 2)
    nearest = ndimage.minimum(away, np.where(dark, labels, 0), np.arange(1, parts + 1))
    return float(mass[1 + int(np.argmin(nearest))] / mass.sum())
