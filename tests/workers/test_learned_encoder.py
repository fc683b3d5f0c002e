"""A network that learns from a study's own regions: trained beside the work, tried by a model, used or not."""

import errno
from dataclasses import replace

import numpy as np
import pytest

from annotation.models import (
    EncoderVersion,
    FeatureShard,
    Job,
    ModelVersion,
    ScoreFile,
    SelectionBatch,
    TrainingSet,
)
from annotation.services import jobs, loop, networks
from annotation.states import JobState, ModelState
from learning import registry
from learning.features import open_shard
from learning.features.cnn import checkpoints, training
from learning.features.cnn.loop import LoopSettings
from learning.features.cnn.network import NetworkSettings
from tests import factories
from tests.workers import smears
from tests.workers.test_loop_inline import settle_open_picks
from workers import base, bridge, files, gating, pixels
from workers.steps import encoder as step

pytestmark = pytest.mark.django_db
POLICY = {
    "encoder": "study-cnn",
    "encoder_first_revisions": 60,
    "batch_size": 60,
    "first_model_revisions": 12,
    "retrain_every_revisions": 500,
    "retrain_every_minutes": 900,
    "gate_min_items": 10,
    "audit_share": 0.4,
}
SMALL = NetworkSettings(edge=16, widths=(8, 16), blocks=1, dimensions=16)
QUICK = training.CnnSettings(network=SMALL, shown=1600, batch=16, loop=LoopSettings(threads=1, checkpoint_steps=8))
LEARNABLE, AUDIT = 6, 5


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@pytest.fixture(autouse=True)
def own_store(settings, shared_store, monkeypatch):
    # Features are named by content, so all tests of this module encode each slide once.
    settings.STORE = shared_store
    monkeypatch.setattr(training, "CnnSettings", lambda: QUICK)


@pytest.fixture
def study():
    """Everything that was queued first is settled: enough for a network, and a model on plain features is active."""
    row = factories.study(
        codes=("neutrophil", "lymphocyte", "monocyte"), policy=POLICY, region_width=64, region_height=64, seed=7
    )
    for seed in range(LEARNABLE):
        smears.add_slide(row, seed=seed, rows=6)
    for seed in range(LEARNABLE, LEARNABLE + AUDIT):
        smears.add_slide(row, seed=seed, rows=2, audit_half="gate")
    base.run_ready(row)
    settle_open_picks(row)
    loop.train_now(study=row, trigger="a manager")
    base.run_ready(row)
    assert ModelVersion.objects.get(study=row, state=ModelState.ACTIVE).encoder == "colour-texture"
    return row


def settle_and_run(study):
    settle_open_picks(study)
    base.run_ready(study)


def unended(study):
    return list(Job.objects.filter(study=study).exclude(state=JobState.DONE).values_list("kind", "state", "error"))


def test_it_is_trained_looks_at_every_slide_and_is_used_when_its_model_has_passed_the_gate(study):
    settle_and_run(study)
    assert unended(study) == []
    version = EncoderVersion.objects.get(study=study)
    assert files.weights_path(version.weights).is_file() and not files.checkpoint_path(study, 1).exists()
    assert FeatureShard.objects.filter(encoder_digest=version.digest).count() == LEARNABLE + AUDIT
    plain = {shard.slide_id: shard for shard in FeatureShard.objects.exclude(encoder_digest=version.digest)}
    for shard in FeatureShard.objects.filter(encoder_digest=version.digest):
        rows = open_shard(files.path_of(shard.stored_name))
        beside = open_shard(files.path_of(plain[shard.slide_id].stored_name))
        assert rows.shape[1] == beside.shape[1] + SMALL.dimensions
        np.testing.assert_array_equal(rows[:, : beside.shape[1]], beside)
    model = ModelVersion.objects.filter(study=study).order_by("number").last()
    assert (model.encoder, model.encoder_digest, model.state) == ("study-cnn", version.digest, ModelState.ACTIVE)
    assert model.numbers["gate"]["basis"] == "audit"
    assert ScoreFile.objects.filter(model=model).count() == LEARNABLE
    assert SelectionBatch.objects.filter(study=study, model=model).exists()
    loop.train_now(study=study, trigger="a manager")
    base.run_ready(study)
    again = ModelVersion.objects.filter(study=study).order_by("number").last()
    assert again.encoder_digest == version.digest, "the next model looks through the active model's encoder"


def test_cases_kept_from_the_network_are_all_that_calibrates_and_judges_what_is_built_on_it(study):
    settle_and_run(study)
    version = EncoderVersion.objects.get(study=study)
    learnable = {case.code for case in study.cases.filter(audit_half="")}
    held = learnable - set(version.seen_cases)
    assert len(held) == 1 and set(version.seen_cases) < learnable
    model = ModelVersion.objects.get(study=study, encoder_digest=version.digest)
    stored = registry.load(files.models_folder(), model.digest)
    examples = bridge.read_examples(study, encoder_digest=version.digest)
    codes = sorted(study.cases.values_list("code", flat=True))
    known = {codes[case] for case in examples.cases[: len(stored.ensemble.out_of_fold.is_known)][
        stored.ensemble.out_of_fold.is_known
    ]}  # fmt: skip
    assert known == held
    assert "has not learned from" in " ".join(model.numbers["remarks"])


def test_a_killed_training_goes_on_with_the_same_regions_to_the_same_weights(study, monkeypatch):
    seen = []

    def run_until(limit):
        def stop(done, total):
            if total:
                seen.append(done)
                if limit and done >= limit:
                    raise KeyboardInterrupt

        return stop

    job = networks.train_now(study=study, upto=0, trigger="a test")
    reports = type("Reports", (), {"__call__": lambda self, done, total: run_until(20)(done, total)})
    job = jobs.claim(job_id=job.pk, worker="one")
    real = base.Progress(job)
    monkeypatch.setattr(type(real), "__call__", reports.__call__)
    with pytest.raises(KeyboardInterrupt):
        step.run(job, real)
    assert seen[-1] == 20 and files.checkpoint_path(study, 1).is_file()
    taught = TrainingSet.objects.get(pk=job.payload["training_set"])
    settle_open_picks(study)
    seen.clear()
    monkeypatch.setattr(type(real), "__call__", lambda self, done, total: run_until(0)(done, total))
    job.refresh_from_db()
    found = step.run(job, real)
    assert seen[0] == 17, "at most one interval of checkpoints is lost"
    version = EncoderVersion.objects.get(study=study)
    assert (found["encoder"], version.training_set) == (1, taught)
    lesson = step._read(study, taught.revision_ids)
    settings = replace(QUICK, seed=files.seed_of(study, files.ENCODER, 1))
    shown = pixels.read(study, lesson.slides, lesson.rectangles, edge=SMALL.edge)
    whole = training.train(pixels=shown, labels=lesson.labels, classes=len(lesson.codes), settings=settings)
    kept = bridge.open_learned(version)
    for name, value in kept.network.state_dict().items():
        if not name.startswith("head."):
            np.testing.assert_array_equal(value.numpy(), whole.state_dict()[name].numpy())


def test_a_full_disk_fails_the_job_in_a_sentence_and_the_active_model_stays(study, monkeypatch):
    active = ModelVersion.objects.get(study=study, state=ModelState.ACTIVE)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoints, "save", full)
    job = networks.train_now(study=study, upto=0, trigger="a test")
    base.run_job(job.pk, worker="one", is_inline=True)
    job.refresh_from_db()
    assert job.state == JobState.READY and "disk that holds the store is full" in job.error
    assert ModelVersion.objects.get(study=study, state=ModelState.ACTIVE) == active
    assert not EncoderVersion.objects.exists()


@pytest.mark.slow
def test_a_slide_that_comes_late_is_shown_to_the_encoder_in_use(study):
    settle_and_run(study)
    version = EncoderVersion.objects.get(study=study)
    late = smears.add_slide(study, seed=90)
    base.run_ready(study)
    assert FeatureShard.objects.filter(slide=late, encoder_digest=version.digest).exists()
    model = ModelVersion.objects.get(study=study, state=ModelState.ACTIVE)
    assert model.encoder_digest == version.digest
    assert ScoreFile.objects.filter(slide=late, model=model).exists()


@pytest.mark.slow
def test_features_that_were_lost_are_computed_again_before_the_next_model(study):
    settle_and_run(study)
    version = EncoderVersion.objects.get(study=study)
    lost = FeatureShard.objects.filter(slide__study=study, encoder_digest=version.digest).first()
    files.path_of(lost.stored_name).unlink()
    loop.train_now(study=study, trigger="a manager")
    base.run_ready(study)
    assert files.path_of(lost.stored_name).is_file() and unended(study) == []

    files.weights_path(version.weights).unlink()
    job = loop.train_now(study=study, trigger="a manager")
    base.run_ready(study)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.FAILED, 1), "nobody trains on weights that cannot be checked"
    assert job.error.startswith(f"{version.weights}.safetensors: cannot be read") and "Train again" in job.error


@pytest.mark.slow
def test_an_encoder_whose_model_is_rejected_is_left_and_not_tried_again(study, monkeypatch):
    before = ModelVersion.objects.get(study=study, state=ModelState.ACTIVE)
    judge = gating.judge

    def turn_away(*, model, **named):
        verdict = judge(model=model, **named)
        return replace(verdict, promote=False) if model.encoder == "study-cnn" else verdict

    monkeypatch.setattr(gating, "judge", turn_away)
    settle_and_run(study)
    version = EncoderVersion.objects.get(study=study)
    tried = ModelVersion.objects.get(study=study, encoder_digest=version.digest)
    assert tried.state == ModelState.REJECTED
    assert ModelVersion.objects.get(study=study, state=ModelState.ACTIVE) == before
    loop.nudge(study=study)
    base.run_ready(study)
    assert ModelVersion.objects.filter(encoder_digest=version.digest).count() == 1
    loop.train_now(study=study, trigger="a manager")
    base.run_ready(study)
    assert ModelVersion.objects.filter(study=study).order_by("number").last().encoder == "colour-texture"


def test_too_few_cases_are_a_sentence_and_not_a_failure(study):
    study.cases.exclude(code__in=["case-0", "case-1"]).filter(audit_half="").update(audit_half="gate")
    study.regions.exclude(slide__case__audit_half="").update(audit_half="gate")
    job = networks.train_now(study=study, upto=0, trigger="a test")
    base.run_job(job.pk, worker="one", is_inline=True)
    job.refresh_from_db()
    assert (job.state, job.result["encoder"]) == (JobState.DONE, None)
    assert "5 cases or more" in job.result["why"] and "; 2 have" in job.result["why"]


def test_the_cases_kept_back_are_the_same_whenever_they_are_asked_for():
    study = factories.study(seed=7)
    cases = [f"case-{number}" for number in range(40)]
    held = step.hold_back(study, cases)
    assert len(held) == 8 and held == step.hold_back(study, list(reversed(cases)))
    assert step.hold_back(study, cases[:4]) == set()
