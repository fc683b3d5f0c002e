"""From an active model to scores of its slides, and what waits for the last of them."""

import numpy as np
import pytest

from annotation.models import Job, ScoreFile, SelectionBatch
from annotation.services import jobs, modelling, reading
from annotation.states import JobKind, JobState
from learning import registry
from learning.features import write_shard
from learning.query import score_blocks, scores
from learning.training import TrainingData, train
from tests import factories
from tests.learning.models.blobs import draw_blobs
from tests.workers.test_loop import model as make_model
from workers import base, files

pytestmark = pytest.mark.django_db
CODES = ("neutrophil", "lymphocyte", "monocyte", "eosinophil")
SCORING_QUERIES = 20
"""Of one job among many, claim and bookkeeping included: a study of hundreds of slides pays them for each."""


@pytest.fixture(autouse=True)
def own_store(settings, tmp_path):
    settings.STORE = tmp_path


@pytest.fixture
def study():
    return factories.study(codes=CODES, policy={"batch_size": 8})


@pytest.fixture
def model(study):
    """Active, of four classes, with three slides of 20 regions that wait for their scores."""
    for number in range(3):
        add_slide(study, number)
    made = make_model(study, state="candidate")
    made.digest, made.class_codes = registry.save(files.models_folder(), train_candidate()), list(CODES)
    made.save()
    return modelling.activate(model=made, reason="It is the first.")


def train_candidate():
    blobs = draw_blobs(count=80)
    return train(
        data=TrainingData(
            features=blobs.features,
            labels=blobs.labels,
            groups=blobs.groups,
            class_codes=CODES,
            revision_digest="r",
            encoder_name="colour-texture",
            encoder_digest="e",
        )
    )


def add_slide(study, number, *, regions=20):
    slide = factories.slide(study, tiling_digest=f"tiling {number}", region_count=regions)
    for _ in range(regions):
        factories.region(slide)
    name = files.shard_name(slide, "e")
    checksum = write_shard(files.path_of(name), draw_blobs(count=regions, seed=number).features)
    reading.record_shard(slide=slide, encoder_digest="e", stored_name=name, checksum=checksum, rows=regions)
    return slide


def waiting(study, kind=JobKind.SCORE_SLIDE):
    return list(Job.objects.filter(study=study, kind=kind, state=JobState.READY).order_by("id"))


def run(job):
    return base.run_job(job.pk, worker="here", is_inline=True)


def test_scores_in_the_store_are_those_of_the_registered_model(study, model):
    while found := waiting(study):
        assert run(found[0])
    ensemble = registry.load(files.models_folder(), model.digest).ensemble
    stored = ScoreFile.objects.filter(model=model).select_related("slide")
    assert stored.count() == 3
    for row in stored:
        number = int(row.slide.tiling_digest.split()[1])
        expected = score_blocks(ensemble, draw_blobs(count=20, seed=number).features.astype(np.float16))
        kept = scores.load(files.path_of(row.stored_name))
        np.testing.assert_array_equal(kept.margin, expected.margin)
        np.testing.assert_array_equal(kept.top1, expected.top1)


def test_a_slide_among_many_costs_few_queries(study, model, django_assert_max_num_queries):
    with django_assert_max_num_queries(SCORING_QUERIES):
        run(waiting(study)[0])


def test_the_batch_is_asked_for_by_the_last_slide_scored_and_by_none_before(study, model):
    first, second, third = waiting(study)
    run(first), run(second)
    assert waiting(study, JobKind.SELECT_BATCH) == []
    run(third)
    (due,) = waiting(study, JobKind.SELECT_BATCH)
    assert run(due)
    assert SelectionBatch.objects.get(study=study).model == model


def test_the_batch_is_asked_for_too_where_the_last_slide_can_not_be_scored(study, model):
    first, second, third = waiting(study)
    run(first), run(second)
    Job.objects.filter(pk=third.pk).update(attempt=jobs.MAX_ATTEMPTS - 1)
    files.path_of(third_shard(study, third)).unlink()
    run(third)
    assert Job.objects.get(pk=third.pk).state == JobState.FAILED
    assert len(waiting(study, JobKind.SELECT_BATCH)) == 1


def third_shard(study, job):
    return study.slides.get(public_id=job.payload["slide"]).feature_shards.get().stored_name


def test_the_same_scores_are_recorded_once(study, model):
    slide = study.slides.first()
    for name in ("one", "two"):
        modelling.record_scores(model=model, slide=slide, stored_name=name, rows=20)
    assert ScoreFile.objects.get(model=model).stored_name == "one"
