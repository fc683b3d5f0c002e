"""From regions to features: one write-once shard per slide, one row per region in the order of `index`.

Decides how pixels reach the encoder; refuses to know labels and models. Opens slides itself, after the fork.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation import store
from annotation.models import FeatureShard, Job, Slide
from annotation.services import encoders, modelling, reading
from learning.features import Encoder, ShardError, open_shard, write_shard
from learning.features.store import verify_shard
from learning.slides.reader import SlideReader, open_slide
from learning.slides.tiles import read_patch
from workers import bridge, files
from workers.progress import Progress

BLOCK = 64


def run(job: Job, report: Progress) -> dict[str, Any]:
    """Write the features of the slide that the job names, under the study's first encoder or a learned one."""
    slide = Slide.objects.select_related("study").get(study=job.study, public_id=job.payload.get("slide", job.key))
    encoder = _choose_encoder(job)
    known = FeatureShard.objects.filter(
        slide=slide, tiling_digest=slide.tiling_digest, encoder_digest=encoder.digest
    ).first()
    if known is not None and files.path_of(known.stored_name).is_file():
        return {"rows": known.rows}
    rectangles = bridge.read_rectangles(slide)
    name = files.shard_name(slide, encoder.digest)
    checksum = _find_shard(name, len(rectangles))
    if not checksum:
        with open_slide(store.slide_path(slide)) as reader:
            features = encode(reader, rectangles, encoder, report)
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
        encoders.embed_late(study=job.study)
    return {"rows": len(rectangles)}


def _choose_encoder(job: Job) -> Encoder:
    number = job.payload.get("encoder")
    if number is None:
        return bridge.choose_encoder(job.study)
    return bridge.open_learned(job.study.encoders.get(number=number))


def encode(
    reader: SlideReader, rectangles: NDArray[np.int32], encoder: Encoder, report: Callable[[int, int], None]
) -> NDArray[np.float16]:
    """Features (N, D) of rectangles (N, 4) in level-0 pixels, read and encoded in blocks."""
    features = np.empty((len(rectangles), encoder.dimensions), dtype=np.float16)
    for start in range(0, len(rectangles), BLOCK):
        block = rectangles[start : start + BLOCK].tolist()
        pixels = [
            read_patch(reader, x=x, y=y, width=width, height=height, edge=encoder.input_edge)
            for x, y, width, height in block
        ]
        features[start : start + len(block)] = encoder.encode(np.stack(pixels))
        report(start + len(block), len(rectangles))
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
