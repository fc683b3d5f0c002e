"""Which reader opens a slide file.

Decides between OpenSlide and Pillow and refuses what is no slide at all; refuses to know how either decodes.
"""

from __future__ import annotations

from pathlib import Path

from learning.slides.contract import Pixels, SlideReader
from learning.slides.errors import SlideError
from learning.slides.image import ImageSlide
from learning.slides.wholeslide import WholeSlide, detect_vendor

__all__ = ["Pixels", "SlideError", "SlideReader", "open_slide"]


def open_slide(path: str | Path) -> SlideReader:
    """Open a slide: by OpenSlide where it knows the format, else as a plain image by Pillow.

    SlideError names the file, the reason and the remedy where it is missing, empty, not an image, cut off or
    too large.
    """
    path = Path(path)
    if not path.is_file():
        raise SlideError(path, "The file does not exist.", "Check the path and that the storage is mounted.")
    if path.stat().st_size == 0:
        raise SlideError(path, "The file is empty.", "Copy it again from the scanner.")
    if detect_vendor(path) is not None:
        return WholeSlide(path)
    return ImageSlide(path)
