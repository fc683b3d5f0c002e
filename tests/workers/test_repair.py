"""Files that vanish, an encoder that changes, a disk that is full, a manager who goes back while a model is judged."""

import errno
import threading
from dataclasses import replace

import pytest
from django.db import connection, transaction

from annotation import clock
from annotation.models import (
    FeatureShard,
    GroundTruthRevision,
    Job,
    ModelVersion,
    Pick,
    Region,
    ScoreFile,
    SelectionBatch,
)
from annotation.services import loop, modelling
from annotation.states import JobKind, JobState, ModelState, PickState, RegionState, Stratum
from learning.features import get_encoder, store
from tests import factories
from tests.workers import smears
from tests.workers.test_loop import model, slide_with_shard
from workers import base, bridge, files, gating

POLICY = {"batch_size": 16, "first_model_revisions": 12, "retrain_every_revisions": 300, "retrain_every_minutes": 900}


@pytest.fixture(autouse=True)
def own_store(settings, tmp_path):
    settings.STORE = tmp_path


@pytest.fixture
def study(db):
    study = factories.study(policy=POLICY, region_width=64, region_height=64, seed=7)
    for seed in range(2):
        smears.add_slide(study, seed=seed)
    base.run_ready(study)
    return study


def settle_open_picks(study):
    for pick in Pick.objects.filter(study=study, state=PickState.OPEN).select_related("region"):
        revision = GroundTruthRevision.objects.create(
            study=study,
            region=pick.region,
            number=1,
            is_settled=True,
            label=pick.region.known_truth.label,
            method="majority",
            protocol=study.protocol,
            created_at=clock.now(),
        )
        Region.objects.filter(pk=pick.region_id).update(current_revision=revision, state=RegionState.SETTLED)
        Pick.objects.filter(pk=pick.pk).update(state=PickState.SETTLED, slots_open=0)


def unended(study):
    return list(Job.objects.filter(study=study).exclude(state=JobState.DONE).values_list("kind", "state", "error"))


class OtherEncoder:
    """The colours of the ordinary encoder under another digest, as after a new revision of its code."""

    def __init__(self):
        self.inner = get_encoder("colour-texture")
        self.name, self.digest = self.inner.name, "f" * 64
        self.dimensions, self.input_edge = self.inner.dimensions, self.inner.input_edge

    def encode(self, pixels):
        return self.inner.encode(pixels)[:, ::-1]


def test_deleted_features_are_computed_again_before_a_training(study):
    shard = FeatureShard.objects.filter(slide__study=study).first()
    files.path_of(shard.stored_name).unlink()
    settle_open_picks(study)
    base.run_ready(study)
    assert files.path_of(shard.stored_name).is_file()
    assert unended(study) == []
    assert [job.result.get("waits") for job in Job.objects.filter(kind=JobKind.TRAIN_MODEL).order_by("id")] == [1, None]
    assert len(ModelVersion.objects.get(study=study).training_set.revision_ids) == 16


def test_a_changed_encoder_reads_all_slides_again_and_trains_another_model_of_the_same_truth(study, monkeypatch):
    settle_open_picks(study)
    base.run_ready(study)
    old = ModelVersion.objects.get(study=study)
    monkeypatch.setattr(bridge, "get_encoder", lambda name: OtherEncoder())
    loop.train_now(study=study, trigger="a manager")
    base.run_ready(study)
    new = ModelVersion.objects.exclude(pk=old.pk).get(study=study)
    assert (new.encoder_digest, new.training_set) == ("f" * 64, old.training_set)
    assert FeatureShard.objects.filter(slide__study=study, encoder_digest=new.encoder_digest).count() == 2
    assert unended(study) == []


def test_a_study_without_a_model_goes_on_under_a_changed_encoder(study, monkeypatch):
    Pick.objects.filter(study=study).exclude(stratum=Stratum.AUDIT).update(has_begun=True)
    monkeypatch.setattr(bridge, "get_encoder", lambda name: OtherEncoder())
    base.run_ready(study)
    assert FeatureShard.objects.filter(slide__study=study, encoder_digest="f" * 64).count() == 2


def test_deleted_scores_are_computed_again_before_the_next_batch(study):
    settle_open_picks(study)
    base.run_ready(study)
    lost = ScoreFile.objects.filter(model__study=study).first()
    files.path_of(lost.stored_name).unlink()
    settle_open_picks(study)
    base.run_ready(study)
    assert files.path_of(lost.stored_name).is_file()
    newest = Job.objects.filter(study=study, kind=JobKind.SELECT_BATCH).order_by("-id").first()
    assert (newest.state, newest.result["batch"]) == (JobState.DONE, None)
    Job.objects.filter(pk=newest.pk).update(finished_at=clock.now() - 2 * loop.EMPTY_BATCH_AGAIN_AFTER)
    base.run_ready(study)
    assert SelectionBatch.objects.filter(study=study).order_by("-number").first().number == newest.payload["number"]


def test_a_candidate_is_judged_again_when_a_manager_goes_back_meanwhile(study, monkeypatch):
    settle_open_picks(study)
    base.run_ready(study)
    first = ModelVersion.objects.get(study=study)
    assert first.state == ModelState.ACTIVE
    other = replace_model(first)
    met = []

    def judge(**given):
        met.append(given["champion"])
        verdict = genuine(**given)
        if len(met) == 1:
            modelling.activate(model=other, reason="A manager went back.")
        return replace(verdict, promote=True)

    genuine = gating.judge
    monkeypatch.setattr(gating, "judge", judge)
    settle_open_picks(study)
    loop.train_now(study=study, trigger="a manager")
    base.run_ready(study)
    assert met == [first, other]
    assert ModelVersion.objects.get(study=study, state=ModelState.ACTIVE).number == 3
    assert Job.objects.filter(study=study, kind=JobKind.TRAIN_MODEL).order_by("-id").first().attempt == 1


def replace_model(row):
    """A retired model of the same bytes under a number of its own."""
    copy = ModelVersion.objects.get(pk=row.pk)
    copy.pk, copy.number, copy.configuration_digest, copy.state = None, 2, "other", ModelState.RETIRED
    copy.save()
    return copy


def test_a_full_disk_fails_the_job_with_a_sentence_and_leaves_nothing_half_written(db, monkeypatch):
    def refuse(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    study = factories.study(state="draft", region_width=64, region_height=64)
    slide = smears.add_slide(study, seed=1)
    monkeypatch.setattr(store.os, "fsync", refuse)
    base.run_ready(study)
    job = Job.objects.get(study=study, kind=JobKind.EMBED_SLIDE)
    assert job.state == JobState.FAILED
    assert "disk that holds the store is full" in job.error
    assert not FeatureShard.objects.filter(slide=slide).exists()
    assert [path.name for path in (files.path_of("features")).rglob("*") if path.is_file()] == []


def test_features_that_come_while_a_model_becomes_active_are_scored_by_it(committed):
    study = factories.study()
    slide_with_shard(study)
    candidate = model(study, state=ModelState.CANDIDATE)
    late = factories.slide(study, tiling_digest="t")

    def write_features():
        try:
            with transaction.atomic():
                FeatureShard.objects.create(
                    slide=late, tiling_digest="t", encoder_digest="e", stored_name="y", checksum="c", rows=1
                )
                started.set()
                modelling.enqueue_active_scoring(study=study)
        finally:
            connection.close()

    started, writer = threading.Event(), threading.Thread(target=write_features)
    with transaction.atomic():
        modelling.activate(model=candidate, reason="Better.")
        writer.start()
        assert started.wait(5)
        writer.join(0.3)
    writer.join(5)
    keys = Job.objects.filter(study=study, kind=JobKind.SCORE_SLIDE).values_list("key", flat=True)
    assert f"1:{late.public_id}" in keys
