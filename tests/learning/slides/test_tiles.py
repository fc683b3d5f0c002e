"""Pictures of regions: frame, context, Deep Zoom geometry, and nothing but pixels."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from learning.slides.reader import open_slide
from learning.slides.tiles import (
    DEEPZOOM_TILE_PX,
    deepzoom_levels,
    deepzoom_tile,
    pixel_digest,
    read_patch,
    region_jpeg,
    thumbnail_jpeg,
)


def _decode(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg), formats=["JPEG"]).convert("RGB"))


def test_region_keeps_its_proportions_and_colours(tissue_slide: Path) -> None:
    with open_slide(tissue_slide) as slide:
        picture = _decode(region_jpeg(slide, x=900, y=1500, width=400, height=200, edge=200, quality=95))
        expected = slide.read(900, 1500, 400, 200, out_width=200, out_height=100)
    assert picture.shape == (100, 200, 3)
    assert np.abs(picture.astype(int) - expected).mean() < 8


def test_context_shows_more_around_the_same_middle(tissue_slide: Path) -> None:
    with open_slide(tissue_slide) as slide:
        wide = _decode(region_jpeg(slide, x=900, y=1500, width=200, height=200, edge=400, context=2, quality=95))
        expected = slide.read(800, 1400, 400, 400)
        with pytest.raises(ValueError, match="context"):
            region_jpeg(slide, x=0, y=0, width=10, height=10, edge=10, context=0)
    assert np.abs(wide.astype(int) - expected).mean() < 8


def test_patch_is_square_around_the_middle(tissue_slide: Path) -> None:
    with open_slide(tissue_slide) as slide:
        patch = read_patch(slide, x=900, y=1500, width=100, height=60, edge=100)
        assert np.array_equal(patch, slide.read(900, 1480, 100, 100))


def test_jpegs_hold_no_exif_profile_or_comment(tissue_slide: Path) -> None:
    with open_slide(tissue_slide) as slide:
        for jpeg in (
            thumbnail_jpeg(slide, max_edge=200),
            region_jpeg(slide, x=0, y=0, width=100, height=100, edge=50),
            deepzoom_tile(slide, 8, 0, 0),
        ):
            image = Image.open(io.BytesIO(jpeg))
            assert not image.getexif() and "icc_profile" not in image.info and "comment" not in image.info
            assert max(image.size) <= 256


def test_deepzoom_pyramid_equals_that_of_openslide(fluorescence_slide: Path) -> None:
    import openslide
    from openslide.deepzoom import DeepZoomGenerator

    with open_slide(fluorescence_slide) as slide, openslide.OpenSlide(str(fluorescence_slide)) as raw:
        reference = DeepZoomGenerator(raw, tile_size=DEEPZOOM_TILE_PX, overlap=0)
        assert deepzoom_levels(slide.dimensions) == tuple(reference.level_dimensions)
        for level, column, row in ((12, 3, 4), (11, 2, 2), (13, 15, 18)):
            ours = _decode(deepzoom_tile(slide, level, column, row, quality=95)).astype(int)
            theirs = np.asarray(reference.get_tile(level, (column, row)).convert("RGB")).astype(int)
            assert ours.shape == theirs.shape
            assert np.abs(ours - theirs).mean() < 3


def test_tiles_outside_the_pyramid_are_index_errors(tissue_slide: Path) -> None:
    with open_slide(tissue_slide) as slide:
        for level, column, row in ((99, 0, 0), (-1, 0, 0), (12, 9, 0), (12, 0, -1)):
            with pytest.raises(IndexError):
                deepzoom_tile(slide, level, column, row)


def test_digest_is_of_pixels_and_shape() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert pixel_digest(pixels) == pixel_digest(pixels.copy())
    assert pixel_digest(pixels) != pixel_digest(pixels.reshape(4, 2, 3))
    assert pixel_digest(pixels) != pixel_digest(pixels + 1)
