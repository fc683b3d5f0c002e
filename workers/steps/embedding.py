"""From regions to features: one write-once shard per slide, one row per region in the order of `index`.

Decides what is computed again and where it is kept; refuses to know labels and models. Opens slides itself, after the
fork.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation import store
from annotation.models import FeatureShard, Job, Slide
from annotation.services import modelling, networks, reading
from learning.embedding import encode
from learning.features import Encoder, ShardError, open_shard, write_shard
from learning.features.store import verify_shard
from learning.slides.reader import open_slide
from workers import bridge, files
from workers.progress import Progress


def run(job: Job, report: Progress) -> dict[str, Any]:
    """Write the features of the slide that the job names, under the study's first encoder or a learned one."""
    slide = Slide.objects.select_related("study").get(study=job.study, public_id=job.payload.get("slide", job.key))
    first = bridge.choose_encoder(job.study)
    number = job.payload.get("encoder")
    version = job.study.encoders.filter(number=number).first() if number else None
    if version is not None and version.beside != first.digest:
        return {"rows": 0, "why": f"Encoder {version.number} stands beside features that are no longer computed."}
    encoder = bridge.open_learned(version) if version else first
    known = FeatureShard.objects.filter(
        slide=slide, tiling_digest=slide.tiling_digest, encoder_digest=encoder.digest
    ).first()
    if known is not None and files.path_of(known.stored_name).is_file():
        return {"rows": known.rows}
    rectangles = bridge.read_rectangles(slide)
    name, checksum = _keep(slide, rectangles, encoder, report, beside=first if version else None)
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
        if version is None:
            networks.embed_late(slide=slide)
    return {"rows": len(rectangles)}


def _keep(
    slide: Slide, rectangles: NDArray[np.int32], encoder: Encoder, report: Progress, *, beside: Encoder | None = None
) -> tuple[str, str]:
    """Name and checksum of the shard with the features of a slide, computed where it is not there.

    `beside`: whose features come first in each row.
    """
    name = files.shard_name(slide, encoder.digest)
    checksum = _find_shard(name, len(rectangles))
    if checksum:
        return name, checksum
    with open_slide(store.slide_path(slide)) as reader:
        features = encode(reader, rectangles, encoder, report)
    if beside is not None:
        other, _ = _keep(slide, rectangles, beside, report)
        features = np.hstack([open_shard(files.path_of(other)), features])
    return name, write_shard(files.path_of(name), features)


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
