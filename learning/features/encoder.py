"""What an encoder promises, whichever way it looks at pixels.

Decides the protocol and the check of its input. Refuses to know any single encoder.
"""

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@runtime_checkable
class Encoder(Protocol):
    """Pixels of regions in, one row of numbers per region out; the same pixels give the same row.

    Attributes: `name` as asked for, `digest` SHA-256 (hex) over everything that determines the output,
    `dimensions` D, `input_edge` side in px that regions are resized to before they are looked at.
    """

    @property
    def name(self) -> str: ...

    @property
    def digest(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    @property
    def input_edge(self) -> int: ...

    def encode(self, pixels: NDArray[np.uint8]) -> NDArray[np.float16]:
        """Describe regions (N, H, W, 3) uint8 as (N, D) float16; a row depends on its region alone."""
        ...


def check_pixels(pixels: NDArray[np.uint8]) -> None:
    """Raise ValueError unless pixels are (N, H, W, 3) uint8 with at least 8 px on a side."""
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] != 3:
        raise ValueError(
            f"An encoder needs pixels as uint8 of shape (N, H, W, 3), but got {pixels.dtype} of shape "
            f"{pixels.shape}. Read the regions as RGB and stack them."
        )
    if min(pixels.shape[1:3]) < 8:
        raise ValueError(f"Regions of {pixels.shape[2]} x {pixels.shape[1]} px are too small; use at least 8 x 8 px.")


def resize_regions(pixels: NDArray[np.uint8], *, edge: int) -> NDArray[np.uint8]:
    """Regions (N, H, W, 3) as (N, edge, edge, 3), averaged when they shrink."""
    if pixels.shape[1:3] == (edge, edge):
        return pixels
    resized = np.empty((len(pixels), edge, edge, 3), dtype=np.uint8)
    for index, region in enumerate(pixels):
        image = Image.fromarray(np.ascontiguousarray(region))
        resized[index] = np.asarray(image.resize((edge, edge), Image.Resampling.BILINEAR))
    return resized
