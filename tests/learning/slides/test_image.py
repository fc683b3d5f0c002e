"""Plain images as slides: unusual pixels, metadata that must not pass, and files that are refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from learning.slides.contract import SlideReader
from learning.slides.image import ImageSlide
from learning.slides.reader import SlideError, open_slide
from learning.slides.tiles import region_jpeg, thumbnail_jpeg

CANARY = "CANARY-DOE-JANE-1970"


def _noise(height: int = 60, width: int = 90) -> np.ndarray:
    return np.random.default_rng(3).integers(60, 250, (height, width, 3), dtype=np.uint8)


def test_image_reads_as_one_level_of_unknown_pixel_size(tmp_path: Path) -> None:
    pixels = _noise()
    Image.fromarray(pixels).save(tmp_path / "a.png", dpi=(25_400, 25_400))
    with open_slide(tmp_path / "a.png") as slide:
        assert isinstance(slide, SlideReader)
        assert (slide.dimensions, slide.level_dimensions, slide.vendor) == ((90, 60), ((90, 60),), "image")
        assert slide.pixel_size is None and slide.objective is None
        assert np.array_equal(slide.read(7, 9, 40, 30), pixels[9:39, 7:47])


def test_outside_an_image_is_its_background_and_inside_keeps_its_place(tmp_path: Path) -> None:
    pixels = np.full((50, 80, 3), 240, dtype=np.uint8)
    pixels[20:30, 20:30] = 100
    Image.fromarray(pixels).save(tmp_path / "a.png")
    with open_slide(tmp_path / "a.png") as slide:
        framed = slide.read(-10, -10, 100, 70)
        assert np.all(framed[:10] == 240) and framed[35, 35, 0] == 100
        assert np.all(slide.read(500, 500, 10, 10) == slide.background)
        half = slide.read(-10, -10, 100, 70, out_width=50, out_height=35)
        assert half.shape == (35, 50, 3) and half[17, 17, 0] < 110


@pytest.mark.parametrize("depth", [8, 10, 12, 14, 16])
def test_sixteen_bit_grey_uses_the_smallest_depth_that_holds_it(tmp_path: Path, depth: int) -> None:
    top = 2**depth - 1
    Image.fromarray(np.array([[0, top // 2, top]], dtype=np.uint16)).save(tmp_path / "deep.png")
    with open_slide(tmp_path / "deep.png") as slide:
        assert slide.read(0, 0, 3, 1)[0, :, 0].tolist() == [0, 127, 255]


def test_palette_alpha_and_bilevel_images_become_rgb(tmp_path: Path) -> None:
    red = Image.new("RGB", (8, 8), (200, 10, 10))
    red.convert("P").save(tmp_path / "palette.png")
    Image.new("RGBA", (8, 8), (0, 0, 255, 0)).save(tmp_path / "clear.png")
    Image.new("LA", (8, 8), (100, 255)).save(tmp_path / "grey.png")
    Image.new("1", (8, 8), 1).save(tmp_path / "mask.png")
    Image.new("CMYK", (8, 8), (0, 0, 0, 255)).save(tmp_path / "print.jpg")
    expected = {
        "palette.png": (200, 10, 10),
        "clear.png": (255, 255, 255),
        "grey.png": (100, 100, 100),
        "mask.png": (255, 255, 255),
        "print.jpg": (0, 0, 0),
    }
    for name, colour in expected.items():
        with open_slide(tmp_path / name) as slide:
            assert np.abs(slide.read(2, 2, 1, 1)[0, 0].astype(int) - colour).max() <= 12, name


def test_floating_point_pixels_are_refused_with_a_remedy(tmp_path: Path) -> None:
    Image.fromarray(np.ones((8, 8), dtype=np.float32)).save(tmp_path / "float.tif")
    with open_slide(tmp_path / "float.tif") as slide, pytest.raises(SlideError, match="no agreed white"):
        slide.read(0, 0, 4, 4)


def test_exif_orientation_is_not_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(_noise()).save(tmp_path / "turned.jpg", exif=exif)
    with open_slide(tmp_path / "turned.jpg") as slide:
        assert slide.dimensions == (90, 60)


def test_no_metadata_leaves_an_image(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = exif[0x8298] = CANARY
    path = tmp_path / f"{CANARY}.jpg"
    Image.fromarray(_noise()).save(path, exif=exif, comment=CANARY.encode(), icc_profile=CANARY.encode() * 20)
    assert CANARY.encode() in path.read_bytes()
    with open_slide(path) as slide:
        assert CANARY not in repr(slide.properties)
        for jpeg in (thumbnail_jpeg(slide), region_jpeg(slide, x=0, y=0, width=90, height=60, edge=90)):
            assert CANARY.encode() not in jpeg
            assert b"Exif" not in jpeg and b"ICC_PROFILE" not in jpeg


def test_truncated_image_is_refused_when_read(tmp_path: Path) -> None:
    Image.fromarray(_noise(300, 300)).save(tmp_path / "a.png")
    cut = tmp_path / "cut.png"
    cut.write_bytes((tmp_path / "a.png").read_bytes()[:20_000])
    with open_slide(cut) as slide, pytest.raises(SlideError, match="can't be decoded"):
        slide.thumbnail(100)


def test_decompression_bomb_is_refused_before_decoding(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.png"
    Image.new("1", (20_000, 20_000)).save(bomb)
    assert bomb.stat().st_size < 200_000
    with pytest.raises(SlideError, match="plain image") as caught:
        open_slide(bomb)
    assert "pyramidal TIFF" in caught.value.remedy


def test_formats_outside_the_list_are_refused(tmp_path: Path) -> None:
    Image.fromarray(_noise()).save(tmp_path / "a.gif")
    with pytest.raises(SlideError, match="PNG, JPEG, TIFF, BMP"):
        open_slide(tmp_path / "a.gif")


def test_only_tiff_may_state_a_pixel_size(tmp_path: Path) -> None:
    image = Image.fromarray(_noise())
    image.save(tmp_path / "sized.tif", resolution=20_000, resolution_unit=3)
    image.save(tmp_path / "printed.tif", dpi=(300, 300))
    assert ImageSlide(tmp_path / "sized.tif").pixel_size == pytest.approx((0.5, 0.5))
    assert ImageSlide(tmp_path / "printed.tif").pixel_size is None
