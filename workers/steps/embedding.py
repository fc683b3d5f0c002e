"""From regions to features: one write-once shard per slide, one row per region in the order of `index`.

Decides how pixels reach the encoder; refuses to know labels and models. Opens slides itself, after the fork.
"""

import os
from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation import store
from annotation.errors import BadInput
from annotation.models import FeatureShard, Job, Slide
from annotation.services import modelling, reading
from learning.features import Encoder, EncoderError, ShardError, open_shard, threads, write_shard
from learning.features.store import verify_shard
from learning.slides.reader import SlideReader, open_slide
from learning.slides.tiles import read_patch
from workers import bridge, files, pipeline
from workers.progress import Progress

BLOCK = 64


def run(job: Job, report: Progress) -> dict[str, Any]:
    """Write the features of the slide that the job's key names."""
    slide = Slide.objects.select_related("study").get(study=job.study, public_id=job.key)
    encoder = bridge.choose_encoder(job.study)
    known = FeatureShard.objects.filter(
        slide=slide, tiling_digest=slide.tiling_digest, encoder_digest=encoder.digest
    ).first()
    if known is not None and files.path_of(known.stored_name).is_file():
        return {"rows": known.rows}
    rectangles = bridge.read_rectangles(slide)
    name = files.shard_name(slide, encoder.digest)
    checksum = _find_shard(name, len(rectangles))
    if not checksum:
        try:
            with open_slide(store.slide_path(slide)) as reader:
                features = encode(reader, rectangles, encoder, report)
        except EncoderError as error:
            raise BadInput(str(error)) from error
        checksum = write_shard(files.path_of(name), features)
    with report.fenced():
        reading.record_shard(
            slide=slide,
            encoder_digest=encoder.digest,
            stored_name=name,
            checksum=checksum,
            rows=len(rectangles),
        )
        # A slide that comes late is ranked by the model that is active already.
        modelling.enqueue_active_scoring(study=job.study)
    return {"rows": len(rectangles)}


def encode(
    reader: SlideReader, rectangles: NDArray[np.int32], encoder: Encoder, report: Callable[[int, int], None]
) -> NDArray[np.float16]:
    """Features (N, D) of rectangles (N, 4) in level-0 pixels, read and encoded in blocks, on all cores.

    Blocks are read ahead of those that are encoded. `report` hears of each block, and may raise to stop.
    """
    # Before the threads: an exported network is opened once.
    features = np.empty((len(rectangles), encoder.dimensions), dtype=np.float16)
    edge = encoder.input_edge

    def read(start: int) -> NDArray[np.uint8]:
        block = rectangles[start : start + BLOCK].tolist()
        pixels = [read_patch(reader, x=x, y=y, width=width, height=height, edge=edge) for x, y, width, height in block]
        return np.stack(pixels)

    done = 0
    starts = range(0, len(rectangles), BLOCK)
    with (
        threads.one_each() as begin,
        closing(
            pipeline.run(starts, first=read, second=encoder.encode, threads=os.cpu_count() or 1, begin=begin)
        ) as blocks,
    ):
        for rows in blocks:
            features[done : done + len(rows)] = rows
            done += len(rows)
            report(done, len(rectangles))
    return features


def _find_shard(name: str, rows: int) -> str:
    """The checksum of a whole shard that another study or an earlier attempt left, or an empty string."""
    path = files.path_of(name)
    if not path.is_file():
        return ""
    try:
        return verify_shard(path) if len(open_shard(path)) == rows else ""
    except ShardError:
        path.unlink()
        return ""
