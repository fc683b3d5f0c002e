"""Pictures of regions and slides, as arrays for encoders and as JPEG bytes for screens.

Decides the frame around a region, sizes and quality; refuses to know who may see them. What is written is
pixels only: no EXIF, no colour profile, no comment, no name.
"""

from __future__ import annotations

import hashlib
import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from learning.slides.contract import Pixels, SlideReader

DEEPZOOM_TILE_PX = 256
JPEG_QUALITY = 85


def read_patch(
    reader: SlideReader, *, x: int, y: int, width: int, height: int, edge: int, context: float = 1.0
) -> Pixels:
    """Return uint8 (edge, edge, 3): the square around a region's centre, as wide as its longer side times
    `context`.

    Squares keep cells in shape for an encoder; what the square adds beside a narrow region is its real
    surroundings.
    """
    _check_context(context)
    side = max(1, round(max(width, height) * context))
    left, top = round(x + (width - side) / 2), round(y + (height - side) / 2)
    return reader.read(left, top, side, side, out_width=edge, out_height=edge)


def region_jpeg(
    reader: SlideReader,
    *,
    x: int,
    y: int,
    width: int,
    height: int,
    edge: int,
    context: float = 1.0,
    quality: int = JPEG_QUALITY,
) -> bytes:
    """Return a JPEG of a region in its own proportions, the longer edge `edge` pixels; `context` 2 shows
    twice the width.

    SlideError where the slide can't be decoded there.
    """
    _check_context(context)
    wide, high = max(1, round(width * context)), max(1, round(height * context))
    left, top = round(x + (width - wide) / 2), round(y + (height - high) / 2)
    scale = edge / max(wide, high)
    out_width, out_height = max(1, round(wide * scale)), max(1, round(high * scale))
    image = reader.read_image(left, top, wide, high, out_width=out_width, out_height=out_height)
    return _encode(image, quality)


def thumbnail_jpeg(reader: SlideReader, *, max_edge: int = 512, quality: int = JPEG_QUALITY) -> bytes:
    """Return a JPEG of the whole slide, its longer edge at most `max_edge` pixels."""
    return encode_jpeg(reader.thumbnail(max_edge), quality=quality)


def deepzoom_levels(dimensions: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """Return (width, height) of each Deep Zoom level, from one pixel up to the slide's own size."""
    top = math.ceil(math.log2(max(dimensions)))
    return tuple(
        (math.ceil(dimensions[0] / 2 ** (top - level)), math.ceil(dimensions[1] / 2 ** (top - level)))
        for level in range(top + 1)
    )


def deepzoom_tile(reader: SlideReader, level: int, column: int, row: int, *, quality: int = JPEG_QUALITY) -> bytes:
    """Return the JPEG of a Deep Zoom tile (256 px, no overlap). IndexError where the pyramid has no such
    tile.
    """
    levels = deepzoom_levels(reader.dimensions)
    left, top = column * DEEPZOOM_TILE_PX, row * DEEPZOOM_TILE_PX
    if not 0 <= level < len(levels):
        raise IndexError(f"The pyramid has levels 0 to {len(levels) - 1}, not {level}.")
    if column < 0 or row < 0 or left >= levels[level][0] or top >= levels[level][1]:
        raise IndexError(f"Level {level} has no tile at column {column}, row {row}.")
    out_width = min(DEEPZOOM_TILE_PX, levels[level][0] - left)
    out_height = min(DEEPZOOM_TILE_PX, levels[level][1] - top)
    step = 2 ** (len(levels) - 1 - level)
    wide = min(out_width * step, reader.dimensions[0] - left * step)
    high = min(out_height * step, reader.dimensions[1] - top * step)
    image = reader.read_image(left * step, top * step, wide, high, out_width=out_width, out_height=out_height)
    return _encode(image, quality)


def encode_jpeg(pixels: Pixels, *, quality: int = JPEG_QUALITY) -> bytes:
    """Return JPEG bytes of uint8 (H, W, 3), nothing but pixels."""
    return _encode(Image.fromarray(pixels), quality)


def pixel_digest(pixels: NDArray[np.uint8]) -> str:
    """Return the SHA-256 (hex) of an array's shape and values: equal for regions that are the same pixel for
    pixel.
    """
    shape = "x".join(str(edge) for edge in pixels.shape).encode()
    return hashlib.sha256(shape + b"\n" + np.ascontiguousarray(pixels).tobytes()).hexdigest()


def _check_context(context: float) -> None:
    if not 0 < context <= 20:
        raise ValueError(f"The context must be above 0 and at most 20 times the region, not {context}.")


def _encode(image: Image.Image, quality: int) -> bytes:
    # Pillow would carry a comment, EXIF or profile over from `info`.
    image.info.clear()
    file = io.BytesIO()
    image.save(file, format="JPEG", quality=quality)
    return file.getvalue()
