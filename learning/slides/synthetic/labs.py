"""Three laboratories: their stain, lamp, focus and camera.

Decides how amounts of stain become the colours of a scan (Beer-Lambert); refuses to know cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from learning.slides.synthetic.cells import STAINS
from learning.slides.synthetic.shapes import Plane

# Optical density (log10) of red, green and blue for one unit of each stain, in the order of `cells`:
# haemoglobin pink, chromatin violet, basophilic blue, eosinophil orange, fine lilac, basophil dark.
_DENSITIES = np.array(
    [
        [0.050, 0.172, 0.150],
        [0.400, 0.640, 0.250],
        [0.190, 0.135, 0.045],
        [0.040, 0.360, 0.440],
        [0.110, 0.240, 0.110],
        [0.560, 0.780, 0.380],
    ],
    dtype=np.float32,
)


@dataclass(frozen=True, kw_only=True)
class Lab:
    """`tint` multiplies the density of each colour (RGB), `strength` all of them; `lamp` is the colour of
    clear glass.

    `shade` is how much darker the slide's edge is (0 to 1), `blur_um` the spread of the optics, `noise` the
    camera's deviation in grey values. `wander` is how far slides of one lab differ from each other.
    """

    name: str
    tint: tuple[float, float, float]
    strength: float
    lamp: tuple[float, float, float]
    shade: float
    blur_um: float
    noise: float
    wander: float


LABS: tuple[Lab, ...] = (
    Lab(
        name="north",
        tint=(1.0, 1.0, 1.0),
        strength=1.0,
        lamp=(243, 240, 238),
        shade=0.05,
        blur_um=0.16,
        noise=2.5,
        wander=0.09,
    ),
    Lab(
        name="harbour",
        tint=(1.30, 0.98, 0.72),
        strength=1.12,
        lamp=(226, 232, 240),
        shade=0.12,
        blur_um=0.24,
        noise=4.0,
        wander=0.12,
    ),
    Lab(
        name="valley",
        tint=(0.80, 1.04, 1.18),
        strength=0.80,
        lamp=(240, 228, 212),
        shade=0.16,
        blur_um=0.34,
        noise=5.5,
        wander=0.15,
    ),
)


def develop(stains: Plane, *, lab: Lab, um_per_px: float, focus: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the scan, uint8 (H, W, 3), of stains (STAINS, H, W); `focus` above 1 widens the lab's blur."""
    height, width = stains.shape[1:]
    tint = np.array(lab.tint) * (1 + lab.wander * rng.standard_normal(3) * 0.6)
    each = 1 + lab.wander * rng.standard_normal((STAINS, 1))
    strength = lab.strength * (1 + lab.wander * rng.standard_normal())
    density = (_DENSITIES * tint * each * strength).astype(np.float32)
    light = np.tensordot(density.T * np.float32(-np.log(10)), stains, axes=1)
    np.exp(light, out=light)
    lit = _illuminate(height, width, lab=lab, rng=rng)
    scan = np.empty((height, width, 3), dtype=np.uint8)
    grain = ndimage.gaussian_filter(rng.standard_normal((height, width), dtype=np.float32), 0.6)
    for channel in range(3):
        plane = ndimage.gaussian_filter(light[channel], lab.blur_um * focus / um_per_px)
        plane *= lit * lab.lamp[channel]
        noise = 0.6 * grain + 0.8 * rng.standard_normal((height, width), dtype=np.float32)
        plane += lab.noise * noise * np.sqrt(plane / 240)
        scan[..., channel] = np.clip(np.rint(plane), 0, 255).astype(np.uint8)
    return scan


def _illuminate(height: int, width: int, *, lab: Lab, rng: np.random.Generator) -> Plane:
    """Return (height, width) of light, brightest near the middle, falling by `shade` to the corners."""
    y, x = np.linspace(-1, 1, height, dtype=np.float32), np.linspace(-1, 1, width, dtype=np.float32)
    top, left = rng.normal(0, 0.15, size=2).astype(np.float32)
    result: Plane = 1 - lab.shade * 0.5 * ((y[:, None] - top) ** 2 + (x[None, :] - left) ** 2)
    return result
