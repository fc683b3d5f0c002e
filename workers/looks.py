"""The pixels of a pass's regions: looked at once, kept as write-once shards, read again only for pairs.

Decides names and order; refuses to know what is made of them. A slide that can't be opened is left out.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation import store
from annotation.models import Slide, Study
from annotation.rules import Item
from learning.embedding import encode
from learning.features import ShardError, open_shard, write_shard
from learning.features.rows import FeatureRows
from learning.review.look import Look
from learning.review.registration import EDGE
from learning.slides.errors import SlideError
from learning.slides.reader import open_slide
from learning.slides.tiling import tiling_digest
from workers import files, pixels

logger = logging.getLogger(__name__)

LEAST_SIMILARITY = 0.9
"""The lowest that a study may set for near-duplicates: the rule draws its own line above it."""


@dataclass(frozen=True)
class Looks:
    """Of N regions: perceptual hashes, purity (N,), and which were looked at, (N,)."""

    hashes: FeatureRows
    purity: NDArray[np.float32]
    is_known: NDArray[np.bool_]


def take(study: Study, items: Sequence[Item], rows: NDArray[np.int64], *, report: Callable[[int, int], None]) -> Looks:
    """Look at all items that have a box and features, slide by slide; what was looked at before is only opened."""
    dimensions = Look().dimensions
    table = np.zeros((len(items), dimensions), dtype=np.float16)
    is_known = np.zeros(len(items), dtype=bool)
    for slide, places in _group(study, items, rows):
        rectangles = _boxes([items[at] for at in places])
        seen = _look(slide, rectangles, _shift(report, int(is_known.sum()), len(items)))
        if seen is not None:
            table[places], is_known[places] = seen, True
    return Looks(FeatureRows([table[:, :-1]]), table[:, -1].astype(np.float32), is_known)


def read_pixels(study: Study, items: Sequence[Item]) -> NDArray[np.uint8]:
    """Pixels (n, EDGE, EDGE, 3) of items; black where an item has no box."""
    shown = np.zeros((len(items), EDGE, EDGE, 3), dtype=np.uint8)
    places = [at for at, item in enumerate(items) if item.box is not None]
    boxed = [items[at] for at in places]
    shown[places] = pixels.read(study, [item.slide for item in boxed], _boxes(boxed), edge=EDGE)
    return shown


def _group(study: Study, items: Sequence[Item], rows: NDArray[np.int64]) -> list[tuple[Slide, list[int]]]:
    """Slides by public id, each with the places of its items."""
    places: dict[str, list[int]] = {}
    for at, item in enumerate(items):
        if rows[at] >= 0 and item.box is not None:
            places.setdefault(item.slide, []).append(at)
    slides = Slide.objects.filter(study=study, public_id__in=list(places)).order_by("public_id")
    return [(slide, places[slide.public_id]) for slide in slides]


def _boxes(items: Sequence[Item]) -> NDArray[np.int32]:
    boxes = [(item.box.x, item.box.y, item.box.width, item.box.height) for item in items if item.box is not None]
    return np.array(boxes, dtype=np.int32)


def _look(
    slide: Slide, rectangles: NDArray[np.int32], report: Callable[[int, int], None]
) -> NDArray[np.float16] | None:
    look = Look()
    digest = tiling_digest(rectangles)
    path = files.path_of(f"looks/{look.digest[:16]}/{slide.checksum[:2]}/{slide.checksum}-{digest[:16]}.npy")
    try:
        return np.asarray(open_shard(path, verify=True))
    except ShardError:
        path.unlink(missing_ok=True)
    try:
        with open_slide(store.slide_path(slide)) as reader:
            seen = encode(reader, rectangles, look, report)
    except (SlideError, OSError) as error:
        logger.warning("Slide %s is left out of the search for duplicates: %s", slide.public_id, error)
        return None
    write_shard(path, seen)
    return seen


def _shift(report: Callable[[int, int], None], done: int, total: int) -> Callable[[int, int], None]:
    return lambda here, _: report(done + here, total)
