"""How pixels are scaled, and how large a request may be.

Decides the filter and the limits both readers share; refuses to know where pixels come from.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# 64 megapixels of RGB are 192 MB: more than any screen, model or overview asks for, and small enough for a
# worker.
LARGEST_OUTPUT_PIXELS = 64_000_000


def check_request(*, width: int, height: int, out_width: int, out_height: int) -> None:
    """Refuse a rectangle without area and an output no machine should hold (ValueError)."""
    if min(width, height, out_width, out_height) < 1:
        raise ValueError(f"A region needs an area: asked for {width} x {height} as {out_width} x {out_height} pixels.")
    if out_width * out_height > LARGEST_OUTPUT_PIXELS:
        raise ValueError(
            f"{out_width} x {out_height} pixels are more than {LARGEST_OUTPUT_PIXELS} at once: ask for less."
        )


def fit_within(dimensions: tuple[int, int], max_edge: int) -> tuple[int, int]:
    """Return (width, height) with the longer edge at most `max_edge`, never enlarged, at least 1."""
    width, height = dimensions
    scale = min(1.0, max_edge / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def scale(image: Image.Image, *, size: tuple[int, int], box: tuple[float, float, float, float]) -> Image.Image:
    """Resample the `box` (in pixels of `image`, may be fractional) to `size`.

    Lanczos, which Pillow widens when it shrinks, so nothing aliases; far reductions are box-averaged to
    within a factor of three first, which the eye can't tell apart and costs a fraction.
    """
    whole = (0.0, 0.0, float(image.width), float(image.height))
    if size == image.size and box == whole:
        return image
    return image.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)


def estimate_background(thumbnail: NDArray[np.uint8]) -> tuple[int, int, int]:
    """Return the most common colour (RGB) among the brightest fifth of a bright picture, or the darkest of a
    dark one.
    """
    pixels = thumbnail.reshape(-1, 3)
    luminance = pixels.mean(axis=1)
    dark = is_dark(thumbnail)
    edge = np.quantile(luminance, 0.2 if dark else 0.8)
    extreme = pixels[luminance <= edge] if dark else pixels[luminance >= edge]
    bins = (extreme >> 3).astype(np.int32) @ np.array([1024, 32, 1], dtype=np.int32)
    common = extreme[bins == np.bincount(bins).argmax()]
    red, green, blue = (round(float(value)) for value in common.mean(axis=0))
    return red, green, blue


def is_dark(thumbnail: NDArray[np.uint8]) -> bool:
    """Whether the picture is fluorescence-like: more of it near black than bright in all three channels.

    Even a dim bright field (a smear at low lamp, around 90 of 255) has ground that is bright in all channels
    and nearly nothing black; fluorescence has stain in one or two channels on black.
    """
    black = np.count_nonzero(thumbnail.max(axis=2) < 48)
    bright = np.count_nonzero(thumbnail.min(axis=2) > 72)
    return bool(black > bright)
