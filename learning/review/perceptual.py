"""A perceptual hash as an encoder: the same for a picture turned, mirrored, moved a little or encoded anew.

Decides what of a picture's low frequencies is kept. Refuses to know regions and which of them are alike.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from learning.features.encoder import check_pixels, resize_regions
from learning.review.registration import EDGE

REVISION = 1
_HIGHEST = 9
# Far under what any picture holds at these frequencies; it keeps empty ones from being told by their noise.
_QUIET = 400.0
_BLOCK = 256
_WAVES = np.array(
    [(u, v) for u in range(1, _HIGHEST) for v in range(u + 1) if u * u + v * v <= _HIGHEST**2], dtype=np.int64
)


@dataclass(frozen=True)
class Perceptual:
    """Strength of each wave of the windowed picture, sorted over the four ways that turning swaps them. See `Encoder`.

    Moving a picture changes phases alone, turning and mirroring swap (u, v), (-u, v), (v, u) and (-v, u).
    """

    name: str = "perceptual"
    input_edge: int = EDGE

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over name, edge and revision."""
        settings = {"name": self.name, "input_edge": self.input_edge, "revision": REVISION}
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()

    @property
    def dimensions(self) -> int:
        """Length D of a row: four ways for each wave."""
        return 4 * len(_WAVES)

    def encode(self, pixels: NDArray[np.uint8]) -> NDArray[np.float16]:
        """Describe regions (N, H, W, 3) as (N, D) float16."""
        check_pixels(pixels)
        rows = np.empty((len(pixels), self.dimensions), dtype=np.float16)
        for start in range(0, len(pixels), _BLOCK):
            rows[start : start + _BLOCK] = _describe(resize_regions(pixels[start : start + _BLOCK], edge=EDGE))
        return rows


def _describe(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    # Without colour, which JPEG changes most: with it one encoded duplicate in four had a stranger nearer.
    grey = pixels.mean(axis=3, dtype=np.float32)
    window = np.hanning(EDGE + 2)[1:-1].astype(np.float32)
    strength = np.abs(fft.fft2((grey - grey.mean(axis=(1, 2), keepdims=True)) * window[:, None] * window))
    u, v = _WAVES.T
    ways = np.stack([strength[:, u, v], strength[:, -u, v], strength[:, v, u], strength[:, -v, u]], axis=-1)
    result: NDArray[np.float32] = np.log(np.sort(ways, axis=-1) + _QUIET).reshape(len(pixels), -1)
    return result
