"""What a slide is to the rest of Concord.

Decides the contract (level-0 geometry, RGB pixels, allow-listed properties); refuses to know how files
are decoded.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]


@runtime_checkable
class SlideReader(Protocol):
    """An open slide. Geometry is level-0 pixels, origin top left; sizes are (width, height).

    A reader may be made before a fork and used after it, and from several threads: file handles are opened
    where they are first used. `background` is the colour (RGB) of what lies outside the slide. Readers inherit
    `read` and the context manager, and write the rest.
    """

    path: Path
    dimensions: tuple[int, int]
    level_dimensions: tuple[tuple[int, int], ...]
    level_downsamples: tuple[float, ...]
    pixel_size: tuple[float, float] | None
    objective: float | None
    vendor: str
    properties: dict[str, str]

    @property
    def background(self) -> tuple[int, int, int]: ...

    def read(
        self,
        x: int,
        y: int,
        width: int,
        height: int,
        *,
        out_width: int | None = None,
        out_height: int | None = None,
    ) -> Pixels:
        """Return uint8 (out_height, out_width, 3) of a level-0 rectangle; the default is one pixel for one.

        Read from the level that is just fine enough and resampled; what lies outside the slide has the
        background colour. SlideError where the file can't be decoded there; ValueError for an empty or
        oversized request.
        """
        return np.asarray(self.read_image(x, y, width, height, out_width=out_width, out_height=out_height))

    def read_image(
        self,
        x: int,
        y: int,
        width: int,
        height: int,
        *,
        out_width: int | None = None,
        out_height: int | None = None,
    ) -> Image.Image:
        """Return the same as an RGB Pillow image: what is only encoded again need not be an array."""
        ...

    def thumbnail(self, max_edge: int) -> Pixels:
        """Return the whole slide, its longer edge at most `max_edge` pixels, never enlarged."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
