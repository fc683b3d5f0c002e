"""Whole slides through OpenSlide: what is read, from which level, after a fork, and what is refused."""

import multiprocessing
import threading
from pathlib import Path
from typing import Any

import numpy as np
import openslide
import pytest
import tifffile
from PIL import Image

from learning.slides.contract import SlideReader
from learning.slides.reader import SlideError, open_slide
from learning.slides.wholeslide import WholeSlide


def _direct(path: Path, location: tuple[int, int], level: int, size: tuple[int, int]) -> np.ndarray:
    with openslide.OpenSlide(str(path)) as slide:
        return np.asarray(slide.read_region(location, level, size).convert("RGB"))


def _write_tiff(path: Path, pixels: np.ndarray, **options: Any) -> Path:
    tifffile.imwrite(path, pixels, tile=(64, 64), metadata=None, software=False, **options)
    return path


def test_facts_of_both_real_slides_are_those_of_their_readme(tissue_slide: Path, fluorescence_slide: Path) -> None:
    with open_slide(tissue_slide) as bright, open_slide(fluorescence_slide) as dark:
        assert isinstance(bright, SlideReader)
        assert (bright.dimensions, bright.pixel_size, bright.objective) == ((2220, 2967), (0.499, 0.499), 20.0)
        assert (bright.vendor, bright.level_downsamples) == ("aperio", (1.0,))
        assert (dark.dimensions, dark.objective, dark.vendor) == ((3968, 4864), 40.0, "hamamatsu")
        assert dark.pixel_size == pytest.approx((0.228175, 0.228175), abs=1e-6)
        assert dark.level_downsamples == (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)


def test_unscaled_reads_equal_direct_openslide_reads(tissue_slide: Path, fluorescence_slide: Path) -> None:
    for path in (tissue_slide, fluorescence_slide):
        with open_slide(path) as slide:
            ours = slide.read(701, 903, 310, 205)
        assert np.array_equal(ours, _direct(path, (701, 903), 0, (310, 205)))


def test_scaled_read_uses_the_level_that_fits(fluorescence_slide: Path) -> None:
    with open_slide(fluorescence_slide) as slide:
        ours = slide.read(1024, 1024, 1024, 512, out_width=256, out_height=128)
    assert np.array_equal(ours, _direct(fluorescence_slide, (1024, 1024), 2, (256, 128)))


def test_scaled_read_between_levels_keeps_mean_colour_and_place(tissue_slide: Path) -> None:
    with open_slide(tissue_slide) as slide:
        whole = slide.read(900, 1200, 900, 600).astype(float)
        small = slide.read(900, 1200, 900, 600, out_width=150, out_height=100).astype(float)
    blocks = whole.reshape(100, 6, 150, 6, 3).mean(axis=(1, 3))
    assert np.abs(small - blocks).mean() < 6
    assert np.abs(small.mean(axis=(0, 1)) - blocks.mean(axis=(0, 1))).max() < 0.5


def test_large_overview_put_together_in_parts_equals_one_read(
    tissue_slide: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_slide(tissue_slide) as slide:
        once = slide.thumbnail(500).astype(float)
        monkeypatch.setattr("learning.slides.wholeslide.LARGEST_READ_PIXELS", 300_000)
        parts = slide.thumbnail(500).astype(float)
    assert parts.shape == once.shape
    assert np.abs(parts - once).mean() < 1.0


def test_outside_the_slide_is_its_own_background(tissue_slide: Path, fluorescence_slide: Path) -> None:
    with open_slide(tissue_slide) as bright, open_slide(fluorescence_slide) as dark:
        assert min(bright.background) > 235
        assert max(dark.background) < 16
        corner = bright.read(-100, -80, 150, 120)
        assert np.all(corner[:80] == bright.background) and np.all(corner[:, :100] == bright.background)
        assert np.array_equal(corner[80:, 100:], bright.read(0, 0, 50, 40))
        beyond = dark.read(dark.dimensions[0] + 50, 0, 64, 64)
        assert np.all(beyond == dark.background)


def test_thumbnail_keeps_proportions_and_never_enlarges(tissue_slide: Path) -> None:
    with open_slide(tissue_slide) as slide:
        assert slide.thumbnail(1000).shape == (1000, 748, 3)
        assert slide.thumbnail(100_000).shape == (2967, 2220, 3)


def _read_in_child(slide: SlideReader, answers: "multiprocessing.SimpleQueue[bytes]") -> None:
    answers.put(slide.read(500, 500, 64, 64).tobytes())


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_reader_made_before_a_new_process_reads_in_it(fluorescence_slide: Path, method: str) -> None:
    context: Any = multiprocessing.get_context(method)
    answers = context.SimpleQueue()
    with open_slide(fluorescence_slide) as slide:
        expected = slide.read(500, 500, 64, 64).tobytes()
        child = context.Process(target=_read_in_child, args=(slide, answers))
        child.start()
        assert answers.get() == expected
        child.join(30)
        assert child.exitcode == 0
        assert slide.read(500, 500, 64, 64).tobytes() == expected


def test_threads_have_handles_of_their_own(fluorescence_slide: Path) -> None:
    handles = []
    with WholeSlide(fluorescence_slide) as slide:
        threads = [threading.Thread(target=lambda: handles.append(slide._handle())) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({id(handle) for handle in [*handles, slide._handle()]}) == 4


def test_closed_reader_opens_again_when_read(tissue_slide: Path) -> None:
    slide = open_slide(tissue_slide)
    before = slide.read(0, 0, 32, 32)
    slide.close()
    assert np.array_equal(slide.read(0, 0, 32, 32), before)
    slide.close()


def test_truncated_slide_is_refused_with_a_sentence(tissue_slide: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "cut.svs"
    damaged.write_bytes(tissue_slide.read_bytes()[:900_000])
    with pytest.raises(SlideError) as caught, open_slide(damaged) as slide:
        slide.thumbnail(512)
    assert str(damaged) in str(caught.value)
    assert caught.value.reason.endswith(".") and caught.value.remedy.endswith(".")


def test_a_failed_read_does_not_spoil_the_next_one(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (256, 256, 3), dtype=np.uint8)
    path = _write_tiff(tmp_path / "half.tif", pixels, compression="jpeg", photometric="rgb")
    with tifffile.TiffFile(path) as tiff:
        last = tiff.pages[0].dataoffsets[-1]
    data = bytearray(path.read_bytes())
    data[last : last + 40] = b"\0" * 40
    path.write_bytes(data)
    with open_slide(path) as slide:
        with pytest.raises(SlideError, match="can't be decoded at level 0"):
            slide.read(192, 192, 64, 64)
        assert slide.read(0, 0, 64, 64).shape == (64, 64, 3)


@pytest.mark.parametrize(
    ("per_cm", "expected"),
    [
        ((20_000, 20_000), (0.5, 0.5)),
        ((0, 0), None),
        ((10, 10), None),
        ((10_000_000_00, 10_000_000_00), None),
        ((20_000, 2_000), None),
    ],
)
def test_absurd_pixel_sizes_are_unknown_and_never_guessed(
    tmp_path: Path, per_cm: tuple[int, int], expected: tuple[float, float] | None
) -> None:
    pixels = np.full((128, 128, 3), 200, dtype=np.uint8)
    path = _write_tiff(tmp_path / "size.tif", pixels, photometric="rgb", resolution=per_cm, resolutionunit="CENTIMETER")
    with open_slide(path) as slide:
        assert slide.vendor == "generic-tiff"
        assert slide.pixel_size == (expected if expected is None else pytest.approx(expected))


def test_requests_without_area_or_beyond_memory_are_refused(tissue_slide: Path) -> None:
    with open_slide(tissue_slide) as slide:
        with pytest.raises(ValueError, match="needs an area"):
            slide.read(0, 0, 0, 10)
        with pytest.raises(ValueError, match="at once"):
            slide.read(0, 0, 10, 10, out_width=100_000, out_height=100_000)


def test_nothing_that_identifies_passes_the_property_list(tmp_path: Path) -> None:
    canary = "CANARY-DOE-JANE-1970"
    path = tmp_path / f"{canary}.tif"
    extra = [
        (269, "s", 0, f"name {canary}", True),
        (270, "s", 0, f"Patient {canary}|ScanScope ID = {canary}|Date = 01/02/03", True),
        (271, "s", 0, canary, True),
        (272, "s", 0, canary, True),
        (305, "s", 0, canary, True),
        (306, "s", 0, "2020:01:02 03:04:05", True),
        (315, "s", 0, canary, True),
        (33432, "s", 0, canary, True),
    ]
    _write_tiff(path, np.full((128, 128, 3), 220, dtype=np.uint8), photometric="rgb", extratags=extra)
    with openslide.OpenSlide(str(path)) as raw:
        assert canary in str(dict(raw.properties)), "the canary must be in the file for this test to mean anything"
    with open_slide(path) as slide:
        assert slide.vendor == "generic-tiff"
        assert canary not in repr(slide.properties)
        assert "2020" not in repr(slide.properties)
        assert set(slide.properties) >= {"openslide.vendor", "openslide.level-count"}


def test_real_slides_keep_dates_serials_and_comments_to_themselves(
    tissue_slide: Path, fluorescence_slide: Path
) -> None:
    for path in (tissue_slide, fluorescence_slide):
        with open_slide(path) as slide:
            told = repr(slide.properties).lower()
        for secret in ("date", "user", "scanscope", "s/n", "comment", "filename", "label", "macro", "12/29/09"):
            assert secret not in told
        assert all(key.startswith("openslide.") for key in slide.properties)


def test_unknown_and_missing_and_empty_files_say_what_to_do(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no slide")
    empty = tmp_path / "empty.svs"
    empty.touch()
    for path, words in (
        (text, "neither a slide OpenSlide knows nor an image"),
        (empty, "is empty"),
        (tmp_path / "gone.svs", "does not exist"),
    ):
        with pytest.raises(SlideError, match=words) as caught:
            open_slide(path)
        assert caught.value.path == path and caught.value.remedy


def test_slide_of_unbelievable_size_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _write_tiff(tmp_path / "big.tif", np.zeros((128, 128, 3), dtype=np.uint8), photometric="rgb")
    monkeypatch.setattr("learning.slides.wholeslide.LARGEST_EDGE", 100)
    with pytest.raises(SlideError, match="128 x 128 pixels can't be right"):
        open_slide(path)


def test_transparent_parts_show_the_background(tmp_path: Path) -> None:
    """OpenSlide returns transparent pixels where a pyramid has no tile; here, beyond the last column."""
    pixels = np.full((100, 100, 3), 90, dtype=np.uint8)
    path = _write_tiff(tmp_path / "odd.tif", pixels, photometric="rgb")
    with open_slide(path) as slide:
        image = Image.fromarray(slide.read(90, 90, 20, 20))
        assert image.getpixel((5, 5)) == (90, 90, 90)
        assert image.getpixel((15, 15)) == slide.background
