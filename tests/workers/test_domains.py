"""A scanner that joins a study late: it is told of, asked about, and held against what the model knows."""

import math
from dataclasses import replace

import numpy as np
import pytest

from annotation.models import Job, ModelVersion, Pick, ScoreFile, SelectionBatch
from annotation.selectors import unseen
from annotation.services import jobs, modelling
from annotation.states import JobKind, JobState, ModelState, PickState, Stratum
from learning.query import scores
from tests import factories
from tests.workers import smears
from tests.workers.test_loop_inline import settle_open_picks
from workers import base, files
from workers.progress import Progress
from workers.steps import domains

pytestmark = pytest.mark.django_db
CODES = ("neutrophil", "lymphocyte", "monocyte")
POLICY = {
    "batch_size": 24, "first_model_revisions": 24, "retrain_every_revisions": 1000, "audit_share": 0.0,
    "random_share": 0.1, "gate_min_items": 10,
}  # fmt: skip
BLUE = (0.5, 0.75, 1.08)


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@pytest.fixture(autouse=True)
def own_store(settings, shared_store):
    settings.STORE = shared_store


@pytest.fixture
def study():
    """Eight cases of one scanner; everything that the first batch asked is settled, and a model is active."""
    made = factories.study(codes=CODES, policy=POLICY, region_width=64, region_height=64, seed=7)
    for seed in range(8):
        smears.add_slide(made, seed=seed, columns=4, rows=3, domain="north")
    base.run_ready(made)
    settle_open_picks(made)
    base.run_ready(made)
    assert ModelVersion.objects.get(study=made).state == ModelState.ACTIVE
    return made


def add_valley(study, *, slides=7):
    for seed in range(100, 100 + slides):
        smears.add_slide(study, seed=seed, columns=3, rows=2, domain="valley", tint=BLUE)


def run_until_cut(study):
    """Cut the slides into regions, and no more."""
    ready = Job.objects.filter(study=study, kind=JobKind.TILE_SLIDE, state=JobState.READY)
    for job in ready.order_by("pk"):
        base.run_job(job.pk, worker="here:1", is_inline=True)


def make_sure(study, domain):
    """Let the active model be sure of every region of the domain, as models are of what they have not seen."""
    rows = ScoreFile.objects.filter(slide__study=study, slide__domain__name=domain)
    for path in (files.path_of(row.stored_name) for row in rows):
        found = scores.load(path)
        scores.save(path, replace(found, margin=np.full(len(found), 0.999, dtype=np.float16)))


def looks(study):
    return list(Job.objects.filter(study=study, kind=JobKind.WATCH_DOMAINS).order_by("pk"))


def read_found(study):
    return ModelVersion.objects.get(study=study, state=ModelState.ACTIVE).numbers["domains"]


def test_a_late_scanner_is_told_of_when_cut_gets_its_quota_and_is_found_unlike(study):
    [first] = looks(study)
    assert (first.key, first.state, first.result["verdicts"]) == ("1:8", JobState.DONE, {"north": "learned"})
    model = ModelVersion.objects.get(study=study)
    assert model.numbers["trained_on"] == {"north": 24}
    assert unseen.find([study.pk]) == {}

    add_valley(study)
    run_until_cut(study)
    # Seven slides of 138 regions in all have no features yet, let alone scores.
    [told] = unseen.find([study.pk])[study.pk]
    assert (told.domain, told.model, told.slides, told.regions) == ("valley", 1, 7, 42)
    assert told.quota == math.ceil((24 - math.ceil(0.1 * 24)) * 42 / 138)

    base.run_ready(study)
    make_sure(study, "valley")
    settle_open_picks(study)
    base.run_ready(study)
    batch = SelectionBatch.objects.filter(study=study).order_by("-number").first()
    assert (batch.strategy, batch.model.number) == ("ranked", 1)
    ranked = Pick.objects.filter(batch=batch, stratum=Stratum.RANKED)
    valley = ranked.filter(region__slide__domain__name="valley")
    assert valley.count() >= told.quota
    assert all("few settled regions yet" in pick.reason for pick in valley)

    [_, second] = looks(study)
    assert (second.key, second.state) == ("1:15", JobState.DONE)
    found = read_found(study)["found"]["valley"]
    assert (found["verdict"], found["nearest"], found["trained"], found["cases"]) == ("unlike", "north", 0, 7)
    assert found["apart"]["value"] > 0.95 > found["apart"]["usual"]
    assert found["classes"]["cases"] == 7 and found["disagreement"]["value"] == found["disagreement"]["value"]


def test_a_look_is_repeated_harmlessly_and_not_asked_for_again(study):
    before = read_found(study)
    [job] = looks(study)
    jobs.retry(job=job)
    base.run_ready(study)
    assert read_found(study) == before
    assert modelling.enqueue_watch(study=study) is None
    assert len(looks(study)) == 1


def test_a_look_that_fails_holds_nothing_up_and_is_not_tried_for_ever(study, monkeypatch):
    def fail(*_, **__):
        raise OSError("The disk is gone.")

    monkeypatch.setattr(domains, "read_units", fail)
    smears.add_slide(study, seed=50, columns=3, rows=2, domain="north")
    settle_open_picks(study)
    base.run_ready(study)
    job = looks(study)[-1]
    assert (job.key, job.state) == ("1:9", JobState.FAILED) and "The disk is gone." in job.error
    assert Pick.objects.filter(study=study, state=PickState.OPEN).exists()
    assert modelling.enqueue_watch(study=study) is None


def test_a_look_that_lost_its_job_writes_nothing(study):
    before = read_found(study)
    [job] = looks(study)
    jobs.retry(job=job)
    held = jobs.claim(job_id=job.pk, worker="here:1")
    Job.objects.filter(pk=job.pk).update(attempt=held.attempt + 1)
    ModelVersion.objects.filter(study=study).update(numbers={})
    with pytest.raises(jobs.JobLost):
        domains.run(held, Progress(held))
    assert ModelVersion.objects.get(study=study).numbers == {} != before
