"""What a pass keeps of a region's pixels: its perceptual hash and its purity, so that they are read only once.

Decides the layout of the rows. Refuses to know how either is used.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from learning.review.perceptual import Perceptual
from learning.review.purity import measure_purity
from learning.review.registration import EDGE

REVISION = 1


@dataclass(frozen=True)
class Look:
    """An encoder (see `Encoder`) whose last column is the purity and the others the perceptual hash."""

    name: str = "look"
    input_edge: int = EDGE

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over its parts and their revisions."""
        settings = {"name": self.name, "perceptual": Perceptual().digest, "revision": REVISION}
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()

    @property
    def dimensions(self) -> int:
        """Length D of a row."""
        return Perceptual().dimensions + 1

    def encode(self, pixels: NDArray[np.uint8]) -> NDArray[np.float16]:
        """Describe regions (N, H, W, 3) uint8 as (N, D) float16."""
        purity = measure_purity(pixels).astype(np.float16)
        return np.concatenate([Perceptual().encode(pixels), purity[:, None]], axis=1)
