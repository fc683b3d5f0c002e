"""Slides read ahead and encoded side by side: the same bytes, in order, bounded, and nothing left behind."""

import threading
import time
from contextlib import closing

import numpy as np
import pytest
import torch
from PIL import Image
from tifffile import TiffFile

from learning import embedding, pipeline
from learning.features import get_encoder
from learning.features.cnn.encoder import StudyCnn
from learning.features.cnn.network import NetworkSettings, build
from learning.slides.errors import SlideError
from learning.slides.reader import open_slide
from learning.slides.synthetic.writer import write_pyramid
from learning.slides.tiles import read_patch

EDGE = 64


class Lost(Exception):
    """What a report raises when its job went to another worker."""


SETTINGS = NetworkSettings(edge=24, widths=(8, 16), blocks=1, dimensions=16)


def left() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith(("first", "second"))]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert left() == []


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    """A pyramid and regions that overlap, lie off its tile grid and partly outside of it."""
    path = tmp_path_factory.mktemp("slide") / "smear.tif"
    coarse = np.random.default_rng(3).integers(0, 256, (90, 96, 3), dtype=np.uint8)
    write_pyramid(path, np.asarray(Image.fromarray(coarse).resize((768, 720))), um_per_px=0.25)
    boxes = [(x, y, EDGE, EDGE) for y in range(5, 760, 31) for x in range(-20, 740, 27)]
    return path, np.array(boxes, dtype=np.int32)


def read_in_turn(path, rectangles, encoder):
    """As one thread does it, block by block."""
    parts = []
    with open_slide(path) as reader:
        for start in range(0, len(rectangles), embedding.BLOCK):
            block = rectangles[start : start + embedding.BLOCK].tolist()
            pixels = [read_patch(reader, x=x, y=y, width=w, height=h, edge=encoder.input_edge) for x, y, w, h in block]
            parts.append(encoder.encode(np.stack(pixels)))
    return np.concatenate(parts)


MEASURED = get_encoder("colour-texture")
LEARNED = StudyCnn(build(SETTINGS, classes=2, seed=0).eval(), SETTINGS, "weights")


@pytest.mark.parametrize("encoder", [MEASURED, LEARNED], ids=lambda one: one.name)
def test_features_are_the_same_bytes_as_one_thread_gives(slide, encoder):
    path, rectangles = slide
    rectangles = rectangles[: 150 if encoder is MEASURED else 330]
    heard = []
    before = torch.get_num_threads()
    with open_slide(path) as reader:
        features = embedding.encode(reader, rectangles, encoder, lambda *said: heard.append(said))
    assert features.tobytes() == read_in_turn(path, rectangles, encoder).tobytes()
    counts = [*range(embedding.BLOCK, len(rectangles), embedding.BLOCK), len(rectangles)]
    assert heard == [(count, len(rectangles)) for count in counts]
    assert torch.get_num_threads() == before


def test_no_regions_give_no_rows(slide):
    with open_slide(slide[0]) as reader:
        features = embedding.encode(reader, np.empty((0, 4), dtype=np.int32), LEARNED, lambda *said: None)
    assert features.shape == (0, LEARNED.dimensions)


def test_a_lost_job_stops_it_and_threads_and_settings_are_as_before(slide):
    before = torch.get_num_threads()

    def report(done, total):
        raise Lost

    with open_slide(slide[0]) as reader, pytest.raises(Lost):
        embedding.encode(reader, slide[1], LEARNED, report)
    assert (left(), torch.get_num_threads()) == ([], before)


def test_a_slide_that_breaks_off_is_the_error_that_is_raised(slide, tmp_path):
    path = tmp_path / "broken.tif"
    content = slide[0].read_bytes()
    with TiffFile(slide[0]) as tiff:
        half = tiff.pages[1]  # the level that is read for so small an edge
        start, size = half.dataoffsets[-1], half.databytecounts[-1]
    path.write_bytes(content[:start] + bytes(size) + content[start + size :])
    with open_slide(path) as reader, pytest.raises(SlideError, match="can't be decoded"):
        embedding.encode(reader, slide[1], LEARNED, lambda *said: None)


class TestStages:
    def test_results_keep_the_order_whichever_is_done_first(self):
        def dawdle(item):
            time.sleep(0.02 * (item % 3 == 0))
            return item

        found = pipeline.run(range(20), first=dawdle, second=lambda item: -item, threads=3)
        assert list(found) == [-item for item in range(20)]

    def test_no_more_than_four_items_a_thread_are_under_way(self):
        taken = []

        def items():
            for item in range(100):
                taken.append(item)
                yield item

        with closing(pipeline.run(items(), first=lambda item: item, second=lambda item: item, threads=2)) as found:
            assert next(found) == 0
            time.sleep(0.05)
            assert len(taken) <= 9

    @pytest.mark.parametrize("stage", ["first", "second"])
    def test_an_error_comes_in_its_turn_and_ends_all_threads(self, stage):
        def fail(item):
            if item == 5:
                raise ValueError("the fifth")
            return item

        stages = {"first": lambda item: item, "second": lambda item: item, stage: fail}
        found = pipeline.run(range(50), **stages, threads=2)
        assert [next(found) for _ in range(5)] == list(range(5))
        with pytest.raises(ValueError, match="the fifth"):
            next(found)
        assert left() == []

    def test_who_leaves_early_waits_for_no_more_than_what_has_begun(self):
        begun = []

        def work(item):
            begun.append(item)
            time.sleep(0.05)
            return item

        with closing(pipeline.run(range(100), first=work, second=lambda item: item, threads=2)) as found:
            next(found)
        assert left() == [] and len(begun) < 12

    def test_stages_run_side_by_side(self):
        meeting = threading.Barrier(4, timeout=10)

        def meet(item):
            if item < 4:
                meeting.wait()
            return item

        assert list(pipeline.run(range(8), first=lambda item: item, second=meet, threads=4)) == list(range(8))
