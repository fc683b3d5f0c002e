"""From an active model to picks in the database, with a million regions to rank: scores of every slide, then a batch.

Decides the study, its features and its model; what runs is the product's own: `activate`, and `run_ready`, which does
the jobs as a worker does, one after the other. Runs in a process of its own, as pytest holds Django's connections.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import apart, usage

REGIONS, SLIDES = 1_000_000, 400
DIMENSIONS, CASES, ITEMS = 512, 40, 2000
AUDIT_SHARE = 0.25  # of the cases of the study: their slides are not ranked, and come on top
BOUND_SECONDS, BOUND_MEGABYTES = 40.0, 2000.0
ENCODER = "e" * 64


def measure_selecting(*, regions: int = REGIONS, slides: int = SLIDES) -> dict[str, Any]:
    """Wall and processor seconds from activation to picks, the peak of anonymous memory, and how jobs share them."""
    return apart.measure("tests.benchmarks.selecting", f"--regions={regions}", f"--slides={slides}")


def main() -> None:
    """Fill a database of its own, measure, print what was found, and take database and features away again."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--regions", type=int, default=REGIONS, help="regions to rank, those of the audit sample apart")
    parser.add_argument("--slides", type=int, default=SLIDES)
    arguments = parser.parse_args()
    with apart.own_database(f"bench_selecting_{os.getpid()}"):
        model = _fill(regions=arguments.regions, slides=arguments.slides)
        print(json.dumps(_measure(model, bound=BOUND_SECONDS * max(arguments.regions / REGIONS, 0.1))))


def _fill(*, regions: int, slides: int) -> Any:
    """The study of a million with features for all slides and a candidate of 512 features that nobody has judged."""
    from django.db import connections

    from tests.benchmarks import bulk, million

    # A fiftieth more than the share says: whole cases are drawn, and slides are not of one size.
    made = million.fill(regions=round(regions * 1.02 / (1 - AUDIT_SHARE)), slides=slides)
    study = made.study
    _write_features(study)
    _leave_nothing_due(study)
    model = _register_model(study)
    bulk.tidy(connections["owner"])
    return model


def _write_features(study: Any) -> None:
    import numpy as np

    from annotation.services import reading
    from learning.features import write_shard
    from workers import files

    generator = np.random.default_rng(0)
    for slide in study.slides.order_by("pk"):
        features = generator.standard_normal((slide.region_count, DIMENSIONS), dtype=np.float32)
        name = files.shard_name(slide, ENCODER)
        checksum = write_shard(files.path_of(name), features)
        reading.record_shard(
            slide=slide, encoder_digest=ENCODER, stored_name=name, checksum=checksum, rows=len(features)
        )


def _leave_nothing_due(study: Any) -> None:
    """No job waits, and neither a training nor a refit of the annotators is due: both were done just now."""
    from django.db.models import Max

    from annotation.models import Annotation, GroundTruthRevision, Job
    from annotation.states import JobKind, JobState

    Job.objects.filter(study=study).delete()
    for kind, rows in ((JobKind.TRAIN_MODEL, GroundTruthRevision), (JobKind.REFIT_CONSENSUS, Annotation)):
        upto = rows.objects.filter(study=study).aggregate(last=Max("pk"))["last"] or 0
        Job.objects.create(study=study, kind=kind, key="1", payload={"upto": upto}, state=JobState.DONE, max_attempts=1)


def _register_model(study: Any) -> Any:
    """A real ensemble of five heads, trained on a few made-up examples, in the registry and as a row."""
    import numpy as np

    from annotation.models import TrainingSet
    from annotation.services import modelling
    from learning import registry
    from learning.training import TrainingData, train
    from workers import bridge, files

    generator = np.random.default_rng(1)
    codes = bridge.learnable_codes(study)
    labels = generator.integers(0, len(codes), ITEMS)
    centres = 0.1 * generator.standard_normal((len(codes), DIMENSIONS))
    candidate = train(
        data=TrainingData(
            features=(centres[labels] + generator.standard_normal((ITEMS, DIMENSIONS))).astype(np.float16),
            labels=labels,
            groups=generator.integers(0, CASES, ITEMS),
            class_codes=tuple(codes),
            revision_digest="0" * 64,
            encoder_name=study.policy.encoder,
            encoder_digest=ENCODER,
        )
    )
    revisions = TrainingSet.objects.filter(study=study).latest("pk").revision_ids[:ITEMS]
    assert len(revisions) == ITEMS, "the watch over domains reads what the model said of each"
    return modelling.register_candidate(
        training_set=modelling.freeze_training_set(study=study, revision_ids=revisions, digest="0" * 64),
        digest=registry.save(files.models_folder(), candidate),
        configuration_digest=candidate.configuration.digest,
        encoder=study.policy.encoder,
        encoder_digest=ENCODER,
        class_codes=codes,
        numbers=candidate.report,
    )


def _measure(model: Any, *, bound: float) -> dict[str, Any]:
    from annotation.models import Job, Pick, ScoreFile, SelectionBatch
    from annotation.services import modelling
    from annotation.states import JobKind, JobState
    from workers import base

    study, server = model.study, _find_server()
    before = usage.read_family_seconds(server)
    with usage.Usage() as whole:
        started = time.perf_counter()
        modelling.activate(model=model, reason="To be measured.")
        activated = time.perf_counter() - started
        base.run_ready(study)
    database_seconds = usage.read_family_seconds(server) - before
    batch = SelectionBatch.objects.get(study=study, model=model)
    picks = Pick.objects.filter(batch=batch)
    scored = ScoreFile.objects.filter(model=model)
    jobs = Job.objects.filter(study=study, kind__in=[JobKind.SCORE_SLIDE, JobKind.SELECT_BATCH])
    assert not jobs.exclude(state=JobState.DONE).exists(), list(jobs.values_list("kind", "error").distinct())
    assert picks.count() == study.policy.batch_size, picks.count()
    selection = jobs.get(kind=JobKind.SELECT_BATCH)
    found = whole.describe()
    assert found["peak_megabytes"] <= BOUND_MEGABYTES, found
    return found | {
        "database_processor_seconds": round(database_seconds, 2),
        "bound_seconds": bound,
        "bound_megabytes": BOUND_MEGABYTES,
        "regions": study.regions.count(),
        "regions_ranked": sum(scored.values_list("rows", flat=True)),
        "slides_scored": scored.count(),
        "dimensions": DIMENSIONS,
        "classes": len(model.class_codes),
        "picks": picks.count(),
        "seconds_activation": round(activated, 2),
        "seconds_selection_job": round((selection.finished_at - selection.started_at).total_seconds(), 2),
    }


def _find_server() -> int:
    """The process above the backends of the embedded PostgreSQL; of none where it runs on another machine."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    return int(backend.read_text().rpartition(")")[2].split()[1]) if backend.is_file() else 0


if __name__ == "__main__":
    main()
