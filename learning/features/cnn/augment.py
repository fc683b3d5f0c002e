"""What a region may look like and be the same: turned, mirrored, moved, lit and stained a little differently.

Decides kinds and strengths. Refuses to know labels. Everything is drawn from the generator it is given.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class AugmentSettings:
    """Strengths: `shift` in px, `gain` and `offset` of a channel's optical density, `scale` of the region's size."""

    shift: int = 4
    gain: float = 0.15
    offset: float = 0.04


def augment(
    pixels: NDArray[np.uint8], *, generator: np.random.Generator, settings: AugmentSettings
) -> NDArray[np.uint8]:
    """Regions (N, H, W, 3) as new ones of the same shape; square ones are turned by quarters as well."""
    count, height, width, _ = pixels.shape
    result = np.empty_like(pixels)
    turns = generator.integers(0, 4 if height == width else 1, size=(count,))
    mirrored = generator.random(size=(count,)) < 0.5
    moves: NDArray[np.int64] = generator.integers(-settings.shift, settings.shift + 1, size=(count, 2))
    padded = np.pad(pixels, ((0, 0), (settings.shift,) * 2, (settings.shift,) * 2, (0, 0)), mode="reflect")
    for index in range(count):
        top, left = (settings.shift + moves[index]).tolist()
        region = np.rot90(padded[index, top : top + height, left : left + width], int(turns[index]))
        result[index] = region[:, ::-1] if mirrored[index] else region
    return _stain(result, generator, settings)


def _stain(pixels: NDArray[np.uint8], generator: np.random.Generator, settings: AugmentSettings) -> NDArray[np.uint8]:
    """Each channel's density times a gain plus an offset: a table of 256 entries a region and channel."""
    count = len(pixels)
    density = -np.log((np.arange(256, dtype=np.float32) + 1) / 256)
    gain = 1 + settings.gain * generator.uniform(-1, 1, (count, 3, 1)).astype(np.float32)
    offset = settings.offset * generator.uniform(-1, 1, (count, 3, 1)).astype(np.float32)
    tables = np.clip(256 * np.exp(-(density * gain + offset)) - 1, 0, 255).astype(np.uint8)
    result = np.empty_like(pixels)
    for channel in range(3):
        flat = pixels[..., channel].reshape(count, -1)
        result[..., channel] = np.take_along_axis(tables[:, channel], flat.astype(np.intp), axis=1).reshape(
            pixels.shape[:3]
        )
    return result
