"""Pixels over HTTP: thumbnails and tiles of slides, images of regions.

Decides caching and the sizes one may ask for; who may see what is decided in selectors.regions.
"""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.http import HttpResponse
from django.utils.cache import patch_vary_headers
from rest_framework import serializers
from rest_framework.request import Request

from annotation import store
from annotation.api import schema
from annotation.api.access import ANYONE, MANAGERS, Always, StudyView
from annotation.api.kept import KeptPictures
from annotation.api.shapes import Finite, Shape
from annotation.errors import Missing
from annotation.models import Region, Slide, StagedSlide
from annotation.selectors import regions
from learning.slides import tiles
from learning.slides.reader import SlideReader, open_slide

OPEN_SLIDES = 32
SMALLEST_EDGE, LARGEST_EDGE = 16, 2048
WIDEST_CONTEXT = 4.0
THUMBNAIL_EDGE = 96
SLIDE_THUMBNAIL_EDGE = 512
# The pixels under a name never change, so a browser may keep them; no shared cache may.
CACHE_CONTROL = "private, max-age=86400, immutable"
ENCODING = "1"
"""Counts up when the same request would give other bytes than before."""


class ImageQuery(Shape):
    edge = serializers.IntegerField(
        required=False,
        default=512,
        min_value=SMALLEST_EDGE,
        max_value=LARGEST_EDGE,
        help_text="Longer edge, pixels.",
    )
    context = Finite(  # type: ignore[assignment]
        required=False,
        default=1.0,
        min_value=1.0,
        max_value=WIDEST_CONTEXT,
        help_text="How many times the region's width and height are shown.",
    )


class NoQuery(Shape):
    pass


_kept = KeptPictures()


@lru_cache(maxsize=OPEN_SLIDES)
def _reader(path: Path) -> SlideReader:
    """The open slide of this process; each thread that reads has a handle, closed with the last user."""
    return open_slide(path)


class PictureView(StudyView):
    """A JPEG. Who may see it is asked before the browser's copy is called good."""

    content_negotiation_class = Always

    def picture(self, slide: Slide | StagedSlide, *parts: object, make: Callable[[SlideReader], bytes]) -> HttpResponse:
        """The picture that `parts` name on `slide`, or 304 where the browser has it."""
        name = self.study.opaque_id("picture", ENCODING, slide.checksum, *parts)
        etag = f'"{hashlib.sha256(name.encode()).hexdigest()[:32]}"'
        if etag in self.request.headers.get("If-None-Match", ""):
            response = HttpResponse(status=304)
        else:
            picture = _kept.get(etag, lambda: make(_reader(store.slide_path(slide))))
            response = HttpResponse(picture, content_type="image/jpeg")
        response["ETag"] = etag
        response["Cache-Control"] = CACHE_CONTROL
        patch_vary_headers(response, ("Authorization", "Cookie"))
        return response

    def region_picture(self, region: Region, *, edge: int, context: float) -> HttpResponse:
        """A picture of `region`, `context` times as wide."""
        frame: dict[str, Any] = {"x": region.x, "y": region.y, "width": region.width, "height": region.height}
        return self.picture(
            region.slide,
            *frame.values(),
            edge,
            context,
            make=lambda reader: tiles.region_jpeg(reader, **frame, edge=edge, context=context),
        )


class RegionImage(PictureView):
    roles = {"get": ANYONE}

    @schema.sends_file("image/jpeg", query=ImageQuery, summary="A region's pixels")
    def get(self, request: Request, slug: str, region: str) -> HttpResponse:
        found = regions.for_member(member=self.member, public_id=region)
        query = self.read_query(ImageQuery)
        return self.region_picture(found, edge=query["edge"], context=query["context"])


class RegionThumbnail(PictureView):
    roles = {"get": ANYONE}

    @schema.sends_file("image/jpeg", summary="A region, small")
    def get(self, request: Request, slug: str, region: str) -> HttpResponse:
        found = regions.for_member(member=self.member, public_id=region)
        self.read_query(NoQuery)
        return self.region_picture(found, edge=THUMBNAIL_EDGE, context=1.0)


class SlideThumbnail(PictureView):
    roles = {"get": MANAGERS}

    @schema.sends_file("image/jpeg", summary="A whole slide, small")
    def get(self, request: Request, slug: str, slide: str) -> HttpResponse:
        found = regions.slide(study=self.study, public_id=slide)
        self.read_query(NoQuery)
        return self.picture(
            found,
            "thumbnail",
            make=lambda reader: tiles.thumbnail_jpeg(reader, max_edge=SLIDE_THUMBNAIL_EDGE),
        )


class SlideTile(PictureView):
    """Deep Zoom tiles of 256 pixels without overlap; level 0 is the whole slide in one pixel."""

    roles = {"get": MANAGERS}

    @schema.sends_file("image/jpeg", summary="A tile of a slide")
    def get(self, request: Request, slug: str, slide: str, level: int, column: int, row: int) -> HttpResponse:
        found = regions.slide(study=self.study, public_id=slide)
        self.read_query(NoQuery)
        return self.picture(found, level, column, row, make=lambda reader: tile(reader, level, column, row))


def tile(reader: SlideReader, level: int, column: int, row: int) -> bytes:
    """The tile's bytes; Missing where the slide has no such tile."""
    try:
        return tiles.deepzoom_tile(reader, level, column, row)
    except IndexError as error:
        raise Missing(str(error)) from error
