"""Regions as pictures in folders by split and class, as programs that learn from folders of images read them.

Decides names and encoding, so that the same pixels give the same bytes; refuses to know where slides lie.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from PIL import Image

from annotation.errors import Conflict
from annotation.releasing.content import ReleasedRegion, ReleasedSlide
from annotation.releasing.parts import Part
from learning.slides.contract import SlideReader
from learning.slides.errors import SlideError

FOLDER = "crops"
Opens = Callable[[ReleasedSlide], SlideReader]


def name_of(split: str, label: str, region: str) -> str:
    """The file of a region."""
    return f"{FOLDER}/{split}/{label}/{region}.png"


def render(regions: Iterable[ReleasedRegion], *, opens: Opens) -> Iterator[Part]:
    """A picture a region at level 0, slide by slide; `opens` gives the reader of a slide.

    `regions` come slide by slide. Conflict names the slide that can't be read.
    """
    for slide, group in groupby(regions, key=lambda one: one.slide):
        try:
            with opens(slide) as reader:
                for one in group:
                    image = reader.read_image(one.x, one.y, one.width, one.height)
                    yield Part(name_of(slide.split, one.label, one.region), [_encode(image)])
        except (SlideError, OSError) as error:
            remedy = "Put the file back, or switch pictures off in the policy and run a new pass."
            raise Conflict(f"Slide {slide.slide} can't be read, so its pictures can't be cut. {remedy}") from error


def _encode(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    # A fixed level: what zlib makes of it is the same each time. The lowest takes two thirds of the usual time for 10 %
    # more bytes.
    image.save(stream, format="PNG", compress_level=1)
    return stream.getvalue()
