"""Soft shapes and textures: outlines, bent tubes, discs and noise, as float images between 0 and 1.

Decides geometry in pixels; refuses to know cells and stains.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Plane = NDArray[np.float32]


class Texture:
    """Noise of zero mean and unit deviation at several grain sizes, cut at random from fields drawn once."""

    def __init__(self, rng: np.random.Generator, *, grains_px: tuple[float, ...], edge: int = 384) -> None:
        self._fields = {}
        for grain in grains_px:
            noise = rng.standard_normal((edge, edge), dtype=np.float32)
            smooth = ndimage.gaussian_filter(noise, grain, mode="wrap")
            self._fields[grain] = (smooth - smooth.mean()) / smooth.std()
        self._edge = edge

    def cut(self, grain_px: float, *, edge: int, rng: np.random.Generator) -> Plane:
        """Return (edge, edge) of the given grain; `edge` may not pass the fields' own."""
        row, column = rng.integers(0, self._edge - edge + 1, size=2)
        field: Plane = self._fields[grain_px][row : row + edge, column : column + edge]
        return field


def grid(edge: int) -> tuple[Plane, Plane]:
    """Return x and y (edge, edge), measured from the middle in pixels."""
    axis = np.arange(edge, dtype=np.float32) - (edge - 1) / 2
    return np.meshgrid(axis, axis)


def soften(distance: Plane, *, width: float) -> Plane:
    """Return 1 inside (distance above 0), 0 outside, with a smooth edge `width` pixels wide."""
    ramp = np.clip(distance / width + 0.5, 0, 1)
    result: Plane = ramp * ramp * (3 - 2 * ramp)
    return result


def outline(
    x: Plane,
    y: Plane,
    *,
    radius: float,
    irregular: float,
    rng: np.random.Generator,
    waves: tuple[int, ...] = (2, 3, 4, 5),
) -> Plane:
    """Return the distance inside a round outline that bulges by `irregular` (a share of the radius)."""
    angle, reach = np.arctan2(y, x), np.hypot(x, y)
    edge: Plane = np.ones_like(reach)
    for wave in waves:
        size = irregular * rng.standard_normal() * (2 / wave)
        edge += (size * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))).astype(np.float32)
    result: Plane = radius * edge - reach
    return result


def tube(
    x: Plane,
    y: Plane,
    *,
    radius: float,
    length: float,
    bend: float,
    lobes: float,
    waist: float,
    rng: np.random.Generator,
) -> Plane:
    """Return the distance inside a tube bent along an arc, swelling `lobes` times, narrowed by `waist`
    between.
    """
    along = np.linspace(0, 1, 28)
    turn = (along - 0.5) * bend
    curve = length / bend if abs(bend) > 1e-3 else 1e3 * length
    across, down = curve * np.sin(turn), curve * (1 - np.cos(turn))
    wobble = rng.standard_normal((2, 4)) * radius * 0.20 * min(1.0, length / (4 * radius))
    knots = np.linspace(0, 1, 4)
    across = across + np.interp(along, knots, wobble[0])
    down = down + np.interp(along, knots, wobble[1])
    count = max(1, round(lobes + rng.uniform(-0.5, 0.5)))
    thick = radius * (1 - waist * (0.5 + 0.5 * np.cos(2 * np.pi * count * along)))
    thick *= 1 + 0.15 * np.interp(along, knots, rng.standard_normal(4))
    across -= np.average(across, weights=thick)
    down -= np.average(down, weights=thick)
    turned = rng.uniform(0, 2 * np.pi)
    cosine, sine = np.cos(turned), np.sin(turned)
    inside = np.full(x.shape, -np.inf, dtype=np.float32)
    xs, ys = cosine * across - sine * down, sine * across + cosine * down
    for px, py, reach in zip(xs, ys, thick, strict=True):
        away = np.hypot(x - np.float32(px), y - np.float32(py))
        np.maximum(inside, np.float32(reach) - away, out=inside)
    return inside


def discs(x: Plane, y: Plane, *, centres: NDArray[np.float64], radii: NDArray[np.float64], width: float) -> Plane:
    """Return the union of soft discs; centres (N, 2) and radii (N,) in pixels from the middle."""
    union = np.zeros(x.shape, dtype=np.float32)
    for (cx, cy), radius in zip(centres, radii, strict=True):
        reach = np.hypot(x - np.float32(cx), y - np.float32(cy))
        np.maximum(union, soften(np.float32(radius) - reach, width=width), out=union)
    return union
