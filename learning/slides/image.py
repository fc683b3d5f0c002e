"""A plain image (PNG, JPEG, TIFF, BMP) as a slide of one level, read by Pillow.

Decides which formats and sizes are taken and how unusual pixels become 8-bit RGB; refuses to know metadata:
the EXIF orientation is not applied, because regions drawn elsewhere are in stored pixels and OpenSlide does
not turn either.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from learning.slides import properties, resampling
from learning.slides.contract import Pixels, SlideReader
from learning.slides.errors import SlideError

FORMATS = ("PNG", "JPEG", "TIFF", "BMP")
# A plain image is held whole: 100 megapixels are 300 MB. Larger ones belong into a pyramid.
LARGEST_PIXELS = 100_000_000
# Pillow warns above its own limit and raises at twice that; both count as refused here.
Image.MAX_IMAGE_PIXELS = LARGEST_PIXELS
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
_PYRAMID = "Convert it to a tiled, pyramidal TIFF."
_DAMAGED = "Copy it again, or export it as 8-bit RGB PNG or JPEG, or as a tiled TIFF."
# Resolution units of TIFF 6.0, tag 296, in µm.
_UNIT_UM = {2: 25_400.0, 3: 10_000.0}


class ImageSlide(SlideReader):
    """A `SlideReader` over one image; of a file with several pages the first. Pixels are decoded when first
    read.
    """

    level_downsamples: tuple[float, ...] = (1.0,)
    objective: float | None = None
    vendor = "image"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._image: Image.Image | None = None
        with self._open() as image:
            self.dimensions: tuple[int, int] = image.size
            self.properties = properties.allow({"image.format": str(image.format), "image.mode": image.mode})
            self.pixel_size = _pixel_size(image)
        self.level_dimensions: tuple[tuple[int, int], ...] = (self.dimensions,)

    def __reduce__(self) -> tuple[Callable[..., ImageSlide], tuple[Path]]:
        return ImageSlide, (self.path,)

    @cached_property
    def background(self) -> tuple[int, int, int]:
        """The colour of the picture's own ground."""
        return resampling.estimate_background(self.thumbnail(256))

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
        image = self._pixels()
        if x >= 0 and y >= 0 and x + width <= image.width and y + height <= image.height:
            inside = image.crop((x, y, x + width, y + height))
            return resampling.scale(inside, size=size, box=(0, 0, width, height))
        return self._read_padded(image, (x, y, width, height), size)

    def thumbnail(self, max_edge: int) -> Pixels:
        """See SlideReader.thumbnail."""
        size = resampling.fit_within(self.dimensions, max_edge)
        return np.asarray(resampling.scale(self._pixels(), size=size, box=(0, 0, *self.dimensions)))

    def close(self) -> None:
        """Let go of the decoded pixels."""
        self._image = None

    def _read_padded(
        self, image: Image.Image, rectangle: tuple[int, int, int, int], size: tuple[int, int]
    ) -> Image.Image:
        """Scale the part that lies inside, and paste it into background: memory goes with the output, not the
        request.
        """
        x, y, width, height = rectangle
        canvas = Image.new("RGB", size, self.background)
        left, top = max(x, 0), max(y, 0)
        right, bottom = min(x + width, image.width), min(y + height, image.height)
        if right <= left or bottom <= top:
            return canvas
        across, down = size[0] / width, size[1] / height
        corner = (round((left - x) * across), round((top - y) * down))
        end = (round((right - x) * across), round((bottom - y) * down))
        extent = (max(1, end[0] - corner[0]), max(1, end[1] - corner[1]))
        inside = image.crop((left, top, right, bottom))
        canvas.paste(resampling.scale(inside, size=extent, box=(0, 0, *inside.size)), corner)
        return canvas

    def _pixels(self) -> Image.Image:
        with self._lock:
            if self._image is None:
                with self._open() as image:
                    self._image = self._decode(image)
            return self._image

    def _decode(self, image: Image.Image) -> Image.Image:
        try:
            image.load()
            return _to_rgb(image)
        except (OSError, SyntaxError, ValueError, *_BOMBS) as error:
            raise SlideError(self.path, f"Its pixels can't be decoded ({error}).", _DAMAGED) from error

    def _open(self) -> Image.Image:
        try:
            image = Image.open(self.path, formats=FORMATS)
        except UnidentifiedImageError as error:
            known = ", ".join(FORMATS)
            reason = f"It is cut off, or neither a slide OpenSlide knows nor an image Pillow may open ({known})."
            raise SlideError(self.path, reason, _DAMAGED) from error
        except _BOMBS as error:
            raise SlideError(self.path, f"It is too large for a plain image ({error}).", _PYRAMID) from error
        except (OSError, SyntaxError, ValueError, UserWarning) as error:
            # Where warnings are errors, Pillow's doubts about a header arrive here.
            raise SlideError(self.path, f"Its header can't be read ({error}).", _DAMAGED) from error
        width, height = image.size
        if width < 1 or height < 1 or width * height > LARGEST_PIXELS:
            image.close()
            reason = f"Its size of {width} x {height} pixels is outside 1 to {LARGEST_PIXELS} for a plain image."
            raise SlideError(self.path, reason, _PYRAMID)
        return image


def _to_rgb(image: Image.Image) -> Image.Image:
    """8-bit RGB: transparent parts over white; 16-bit grey by the smallest depth (8, 10, 12, 14, 16) that
    holds it.
    """
    if image.mode == "RGB":
        return image.copy()
    if image.mode.startswith("I"):
        return _scale_depth(np.asarray(image)).convert("RGB")
    if image.mode == "F":
        raise ValueError("floating-point pixels have no agreed white")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layered = image.convert("RGBA")
        flat = Image.new("RGB", image.size, (255, 255, 255))
        flat.paste(layered, mask=layered.getchannel("A"))
        return flat
    return image.convert("RGB")


def _scale_depth(values: np.ndarray) -> Image.Image:
    brightest = int(values.max())
    if int(values.min()) < 0 or brightest > 65_535:
        raise ValueError("its grey values are outside 0 to 65535")
    depth = next(bits for bits in (8, 10, 12, 14, 16) if brightest < 2**bits)
    return Image.fromarray((values.astype(np.uint32) >> (depth - 8)).astype(np.uint8), mode=None)


def _pixel_size(image: Image.Image) -> tuple[float, float] | None:
    """Only TIFF's resolution tags may speak of optics; the dpi of PNG and JPEG is that of a printer."""
    tags = getattr(image, "tag_v2", None)
    if image.format != "TIFF" or tags is None:
        return None
    unit = _UNIT_UM.get(tags.get(296, 2))
    try:
        across, down = float(tags.get(282, 0)), float(tags.get(283, 0))
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    if unit is None or not (across > 0 and down > 0):
        return None
    return properties.parse_pixel_size(unit / across, unit / down)
