"""From a model to the scores of one slide's regions, over the memory-mapped features.

Decides nothing: reads a shard, scores it, writes a file. Refuses to read pixels, and to rank.
"""

import functools
from pathlib import Path
from typing import Any

from annotation.models import FeatureShard, Job, ModelVersion, ScoreFile, Slide
from annotation.services import modelling
from learning import registry
from learning.features import open_shard
from learning.query import scores
from learning.query.scoring import score_blocks
from workers import files
from workers.progress import Progress


def run(job: Job, report: Progress) -> dict[str, Any]:
    """Score the slide under the model, both named by the payload; nothing where the scores lie there already."""
    model = ModelVersion.objects.get(study=job.study, number=job.payload["model"])
    slide = Slide.objects.get(study=job.study, public_id=job.payload["slide"])
    known = ScoreFile.objects.filter(model=model, slide=slide).first()
    if known is not None and files.path_of(known.stored_name).is_file():
        return {"rows": known.rows}
    shard = FeatureShard.objects.get(
        slide=slide, encoder_digest=model.encoder_digest, tiling_digest=slide.tiling_digest
    )
    stored = _load(files.models_folder(), model.digest)
    found = score_blocks(stored.ensemble, open_shard(files.path_of(shard.stored_name)))
    name = files.scores_name(slide, model.digest)
    scores.save(files.path_of(name), found)
    with report.fenced():
        modelling.record_scores(model=model, slide=slide, stored_name=name, rows=len(found))
    return {"rows": len(found)}


@functools.lru_cache(maxsize=1)
def _load(folder: Path, digest: str) -> registry.StoredModel:
    """The verified model: hundreds of slides in turn are scored by the same, and its digest says what is in it."""
    return registry.load(folder, digest)
