"""A whole slide read by OpenSlide.

Decides level choice, file handles per process and thread, the tiles they share, and which damage is refused;
refuses to know what the pixels show. Labels and macro images are never read.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np
import openslide
from PIL import Image

from learning.slides import properties, resampling
from learning.slides.contract import Pixels, SlideReader
from learning.slides.errors import SlideError

# OpenSlide holds four bytes a pixel; larger reads (an overview of a slide without pyramid) are put together
# in parts.
LARGEST_READ_PIXELS = 16_000_000
LARGEST_EDGE = 4_000_000
LARGEST_LEVELS = 64
# Decoded tiles of a slide, for all threads together: neighbouring blocks of regions lie on the same tiles.
CACHE_BYTES = 64 << 20
_DAMAGED = "Copy the file again from the scanner, or export it anew."


def detect_vendor(path: Path) -> str | None:
    """Return OpenSlide's name of the format, or None where OpenSlide does not know it."""
    try:
        vendor: str | None = openslide.OpenSlide.detect_format(str(path))
    except openslide.OpenSlideError:
        return None
    return vendor


class WholeSlide(SlideReader):
    """A `SlideReader` over OpenSlide. Handles are opened in the process and thread that read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._tiles: tuple[int, openslide.OpenSlideCache] | None = None
        handle = self._handle()
        self.dimensions: tuple[int, int] = handle.dimensions
        self.level_dimensions: tuple[tuple[int, int], ...] = handle.level_dimensions
        self.level_downsamples: tuple[float, ...] = handle.level_downsamples
        raw = dict(handle.properties)
        self.properties = properties.allow(raw)
        self.pixel_size = properties.parse_pixel_size(raw.get("openslide.mpp-x"), raw.get("openslide.mpp-y"))
        self.objective = properties.parse_objective(raw.get("openslide.objective-power"))
        self.vendor = self.properties.get("openslide.vendor", "unknown")
        self._check_size()

    def __reduce__(self) -> tuple[Callable[..., WholeSlide], tuple[Path]]:
        return WholeSlide, (self.path,)

    @cached_property
    def background(self) -> tuple[int, int, int]:
        """The colour the file declares, else that of its own ground: a dark slide is not framed in white."""
        declared = properties.parse_colour(self.properties.get("openslide.background-color"))
        if declared is not None:
            return declared
        size = resampling.fit_within(self.dimensions, 256)
        ground = self._read_scaled((0, 0, *self.dimensions), size, fill=(255, 255, 255))
        return resampling.estimate_background(np.asarray(ground))

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
        """See SlideReader.read_image."""
        size = (out_width or width, out_height or height)
        resampling.check_request(width=width, height=height, out_width=size[0], out_height=size[1])
        return self._read_scaled((x, y, width, height), size, fill=None)

    def thumbnail(self, max_edge: int) -> Pixels:
        """See SlideReader.thumbnail."""
        width, height = self.dimensions
        size = resampling.fit_within(self.dimensions, max_edge)
        return self.read(0, 0, width, height, out_width=size[0], out_height=size[1])

    def close(self) -> None:
        """Close this thread's handle; other threads' handles close with their threads."""
        handle = getattr(self._local, "handle", None)
        if handle is not None and self._local.pid == os.getpid():
            handle.close()
        self._local.handle = None

    def _read_scaled(
        self,
        rectangle: tuple[int, int, int, int],
        size: tuple[int, int],
        *,
        fill: tuple[int, int, int] | None,
    ) -> Image.Image:
        x, y, width, height = rectangle
        wanted = min(width / size[0], height / size[1])
        level = max((i for i, d in enumerate(self.level_downsamples) if d <= wanted * 1.001), default=0)
        downsample = self.level_downsamples[level]
        span = (math.ceil(width / downsample), math.ceil(height / downsample))
        if span[0] * span[1] > LARGEST_READ_PIXELS:
            return self._read_in_halves(rectangle, size, fill=fill)
        image = self._flatten(self._read_region((x, y), level, span), fill)
        return resampling.scale(image, size=size, box=_box(width, height, downsample, span))

    def _read_in_halves(
        self,
        rectangle: tuple[int, int, int, int],
        size: tuple[int, int],
        *,
        fill: tuple[int, int, int] | None,
    ) -> Image.Image:
        """Put a large read together from halves along the longer edge, cut where an output pixel ends."""
        x, y, width, height = rectangle
        whole = Image.new("RGB", size)
        if max(size) == 1:
            # One output pixel over an enormous area: its middle stands for it.
            part = (x + width // 4, y + height // 4, max(1, width // 2), max(1, height // 2))
            return self._read_scaled(part, size, fill=fill)
        if size[0] >= size[1]:
            half, cut = size[0] // 2, round(width * (size[0] // 2) / size[0])
            parts = [((x, y, cut, height), (0, 0), (half, size[1]))]
            parts += [((x + cut, y, width - cut, height), (half, 0), (size[0] - half, size[1]))]
        else:
            half, cut = size[1] // 2, round(height * (size[1] // 2) / size[1])
            parts = [((x, y, width, cut), (0, 0), (size[0], half))]
            parts += [((x, y + cut, width, height - cut), (0, half), (size[0], size[1] - half))]
        for part, corner, extent in parts:
            whole.paste(self._read_scaled(part, extent, fill=fill), corner)
        return whole

    def _flatten(self, image: Image.Image, fill: tuple[int, int, int] | None) -> Image.Image:
        """Drop transparency: where the file has no pixels, the background shows."""
        opaque = image.getchannel("A").getextrema() == (255, 255)
        if opaque:
            return image.convert("RGB")
        flat = Image.new("RGB", image.size, self.background if fill is None else fill)
        flat.paste(image, mask=image.getchannel("A"))
        return flat

    def _read_region(self, location: tuple[int, int], level: int, span: tuple[int, int]) -> Image.Image:
        try:
            return self._handle().read_region(location, level, span)
        except openslide.OpenSlideError as error:
            # OpenSlide refuses a handle for good after one error; the next read gets a fresh one.
            self.close()
            place = f"level {level} at {location[0]}, {location[1]}"
            raise SlideError(self.path, f"Its pixels can't be decoded at {place} ({error}).", _DAMAGED) from error

    def _handle(self) -> openslide.OpenSlide:
        handle: openslide.OpenSlide | None = getattr(self._local, "handle", None)
        if handle is not None and self._local.pid == os.getpid():
            return handle
        try:
            handle = openslide.OpenSlide(str(self.path))
        except openslide.OpenSlideError as error:
            raise SlideError(self.path, f"OpenSlide can't open it ({error}).", _DAMAGED) from error
        handle.set_cache(self._cache())
        self._local.handle, self._local.pid = handle, os.getpid()
        return handle

    def _cache(self) -> openslide.OpenSlideCache:
        """One for each process: a fork may have been made while another thread held the lock of it."""
        if self._tiles is None or self._tiles[0] != os.getpid():
            self._tiles = os.getpid(), openslide.OpenSlideCache(CACHE_BYTES)
        return self._tiles[1]

    def _check_size(self) -> None:
        width, height = self.dimensions
        if min(width, height) < 1 or max(width, height) > LARGEST_EDGE:
            self.close()
            reason = f"Its size of {width} x {height} pixels can't be right (the limit is {LARGEST_EDGE})."
            raise SlideError(self.path, reason, _DAMAGED)
        if len(self.level_dimensions) > LARGEST_LEVELS:
            self.close()
            raise SlideError(self.path, f"It claims {len(self.level_dimensions)} levels.", _DAMAGED)


def _box(width: int, height: int, downsample: float, span: tuple[int, int]) -> tuple[float, float, float, float]:
    right, bottom = width / downsample, height / downsample
    return 0, 0, min(right, span[0]), min(bottom, span[1])
