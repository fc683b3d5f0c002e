"""What is due in a study, counted from rows."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from annotation import clock
from annotation.errors import Conflict
from annotation.models import (
    Annotation,
    Assignment,
    FeatureShard,
    GroundTruthRevision,
    Job,
    ModelVersion,
    ScoreFile,
    SelectionBatch,
    TrainingSet,
)
from annotation.services import jobs, loop
from annotation.states import JobKind, JobState, ModelState
from tests import factories
from workers import schedule

POLICY = {"first_model_revisions": 3, "retrain_every_revisions": 2, "refit_every_answers": 4, "batch_size": 4}


@pytest.fixture
def study():
    return factories.study(policy=POLICY)


def slide_with_shard(study, regions=2, **fields):
    slide = factories.slide(study, tiling_digest="t", **fields)
    for _ in range(regions):
        factories.region(slide)
    FeatureShard.objects.create(
        slide=slide, tiling_digest="t", encoder_digest="e", stored_name="x", checksum="c", rows=regions
    )
    return slide


def settle(region, label="neutrophil"):
    return GroundTruthRevision.objects.create(
        study=region.study,
        region=region,
        number=1,
        is_settled=True,
        label=label,
        method="majority",
        protocol=region.study.protocol,
        created_at=clock.now(),
    )


def batch(study, number=1, **fields):
    fields = {"strategy": "cold_start", "seed": 0, "created_at": clock.now(), **fields}
    return SelectionBatch.objects.create(study=study, number=number, **fields)


def model(study, number=1, state=ModelState.ACTIVE):
    made = TrainingSet.objects.create(
        study=study, digest=str(number), revision_ids=[], protocol=study.protocol, created_at=clock.now()
    )
    return ModelVersion.objects.create(
        study=study,
        number=number,
        digest=str(number),
        state=state,
        training_set=made,
        configuration_digest="c",
        encoder="colour-texture",
        encoder_digest="e",
        class_codes=[],
        created_at=clock.now(),
    )


def end(job, **fields):
    Job.objects.filter(pk=job.pk).update(state=JobState.DONE, finished_at=clock.now(), **fields)


def kinds(found):
    return [(job.kind, job.key) for job in found]


@pytest.mark.django_db
class TestBatches:
    def test_the_first_batch_waits_until_every_slide_has_been_read(self, study):
        slide_with_shard(study)
        reading = jobs.enqueue(study=study, kind=JobKind.EMBED_SLIDE, key="another slide")
        assert loop.nudge(study=study) == []
        end(reading)
        assert kinds(loop.nudge(study=study)) == [(JobKind.SELECT_BATCH, "1")]

    def test_slides_that_failed_are_not_waited_for(self, study):
        slide_with_shard(study)
        failed = jobs.enqueue(study=study, kind=JobKind.TILE_SLIDE, key="broken")
        Job.objects.filter(pk=failed.pk).update(state=JobState.FAILED)
        assert kinds(loop.nudge(study=study)) == [(JobKind.SELECT_BATCH, "1")]

    def test_nothing_is_drawn_without_features_or_pool(self, study):
        assert loop.nudge(study=study) == []
        slide_with_shard(study, regions=0)
        assert loop.nudge(study=study) == []

    def test_a_batch_that_is_under_way_is_not_asked_for_twice(self, study):
        slide_with_shard(study)
        assert len(loop.nudge(study=study)) == 1
        assert loop.nudge(study=study) == []

    def test_the_next_batch_comes_when_open_picks_fall_under_the_watermark(self, study):
        slide = slide_with_shard(study, regions=5)
        first = batch(study)
        picks = [factories.pick(region, batch=first) for region in slide.regions.all()[:2]]
        assert loop.nudge(study=study) == []
        picks[0].has_begun = True
        picks[0].save()
        assert kinds(loop.nudge(study=study)) == [(JobKind.SELECT_BATCH, "2")]

    def test_a_draw_that_found_nothing_is_repeated_only_after_a_while(self, study):
        slide_with_shard(study)
        job = loop.nudge(study=study)[0]
        end(job)
        assert [job.state for job in loop.nudge(study=study)] == [JobState.DONE]
        Job.objects.filter(pk=job.pk).update(finished_at=clock.now() - timedelta(minutes=1))
        assert [job.state for job in loop.nudge(study=study)] == [JobState.READY]

    def test_a_new_model_takes_over_when_all_slides_are_scored(self, study):
        slide = slide_with_shard(study, regions=6)
        first = batch(study)
        for region in slide.regions.all()[:4]:
            factories.pick(region, batch=first)
        active = model(study)
        scoring = jobs.enqueue(study=study, kind=JobKind.SCORE_SLIDE, key="1:a")
        ScoreFile.objects.create(model=active, slide=slide, stored_name="x", rows=6)
        assert loop.nudge(study=study) == []
        end(scoring)
        assert kinds(loop.nudge(study=study)) == [(JobKind.SELECT_BATCH, "2")]

    def test_a_batch_of_rechecks_does_not_pass_for_a_ranking(self, study):
        slide = slide_with_shard(study, regions=6)
        active = model(study)
        ScoreFile.objects.create(model=active, slide=slide, stored_name="x", rows=6)
        drawn = batch(study, model=active, strategy="ranked")
        for region in slide.regions.all()[:4]:
            factories.pick(region, batch=drawn)
        batch(study, number=2, strategy="recheck")
        assert loop.nudge(study=study) == []


@pytest.mark.django_db
class TestTraining:
    def test_the_first_training_waits_for_enough_settled_revisions(self, study):
        slide = factories.slide(study)
        for _ in range(2):
            settle(factories.region(slide))
        assert loop.nudge(study=study) == []
        settle(factories.region(slide))
        assert kinds(loop.nudge(study=study)) == [(JobKind.TRAIN_MODEL, "1")]

    def test_audit_regions_do_not_count(self, study):
        slide = factories.slide(study, case=factories.case(study, "audited", audit_half="gate"))
        for _ in range(5):
            settle(factories.region(slide))
        assert loop.nudge(study=study) == []

    def test_one_training_at_a_time_and_the_next_after_enough_new_revisions(self, study):
        slide = factories.slide(study)
        for _ in range(3):
            settle(factories.region(slide))
        job = loop.nudge(study=study)[0]
        for _ in range(4):
            settle(factories.region(slide))
        assert loop.nudge(study=study) == []
        assert loop.train_now(study=study, trigger="a manager") == job
        end(job)
        model(study)
        assert kinds(loop.nudge(study=study)) == [(JobKind.TRAIN_MODEL, "2")]

    @pytest.mark.parametrize(("state", "wanted"), [(ModelState.REJECTED, 3), (ModelState.ACTIVE, 6)])
    def test_without_a_model_in_use_the_next_comes_as_soon_as_the_first_did(self, state, wanted):
        study = factories.study(policy={**POLICY, "retrain_every_revisions": 6})
        slide = factories.slide(study)
        for _ in range(3):
            settle(factories.region(slide))
        end(loop.nudge(study=study)[0])
        model(study, state=state)
        for _ in range(wanted - 1):
            settle(factories.region(slide))
        assert loop.nudge(study=study) == []
        settle(factories.region(slide))
        assert kinds(loop.nudge(study=study)) == [(JobKind.TRAIN_MODEL, "2")]

    def test_time_alone_trains_when_something_is_new(self, study):
        slide = factories.slide(study)
        for _ in range(3):
            settle(factories.region(slide))
        job = loop.nudge(study=study)[0]
        end(job)
        Job.objects.filter(pk=job.pk).update(finished_at=timezone.now() - timedelta(hours=1))
        model(study)
        assert loop.nudge(study=study) == []
        settle(factories.region(slide))
        found = loop.nudge(study=study)
        assert kinds(found) == [(JobKind.TRAIN_MODEL, "2")]
        assert found[0].payload["trigger"] == "30 minutes since the last training"

    def test_a_training_that_could_not_learn_is_repeated_only_with_more_truth(self, study):
        slide = factories.slide(study)
        for _ in range(3):
            settle(factories.region(slide))
        end(loop.nudge(study=study)[0])
        assert loop.nudge(study=study) == []
        for _ in range(3):
            settle(factories.region(slide))
        assert kinds(loop.nudge(study=study)) == [(JobKind.TRAIN_MODEL, "2")]


@pytest.mark.django_db
class TestRefits:
    def answer(self, region, annotator):
        now = clock.now()
        lease = Assignment.objects.create(
            study=region.study, region=region, annotator=annotator, leased_at=now, expires_at=now, state="submitted"
        )
        return Annotation.objects.create(
            study=region.study,
            region=region,
            annotator=annotator,
            number=1,
            assignment=lease,
            assignment_kind="label",
            protocol=region.study.protocol,
            kind="class",
            label="neutrophil",
            idempotency_key=str(lease.pk),
            created_at=now,
        )

    def test_reliability_is_refitted_every_so_many_answers(self, study):
        slide, annotator = factories.slide(study), factories.member(study)
        for _ in range(3):
            self.answer(factories.region(slide), annotator)
        assert loop.nudge(study=study) == []
        self.answer(factories.region(slide), annotator)
        job = loop.nudge(study=study)[0]
        assert kinds([job]) == [(JobKind.REFIT_CONSENSUS, "1")]
        assert loop.nudge(study=study) == []
        end(job)
        for _ in range(4):
            self.answer(factories.region(slide), annotator)
        assert kinds(loop.nudge(study=study)) == [(JobKind.REFIT_CONSENSUS, "2")]


@pytest.mark.django_db
class TestCare:
    @pytest.mark.parametrize("state", ["draft", "draining", "closed"])
    def test_nothing_new_is_queued_in_a_study_that_is_not_running(self, state):
        study = factories.study(policy=POLICY, state=state)
        slide = slide_with_shard(study)
        for _ in range(5):
            settle(factories.region(slide))
        assert loop.nudge(study=study) == []

    def test_asking_costs_few_queries(self, study, django_assert_max_num_queries):
        slide = slide_with_shard(study, regions=6)
        first = batch(study)
        for region in slide.regions.all()[:4]:
            factories.pick(region, batch=first)
        # One of them asks whether an acceptance sample is open.
        with django_assert_max_num_queries(9):
            loop.nudge(study=study)

    def test_a_tick_asks_open_studies_and_leaves_simulations_alone(self, study):
        slide_with_shard(study)
        simulated = factories.study(policy=POLICY)
        slide_with_shard(simulated)
        Job.objects.create(study=simulated, kind=JobKind.TILE_SLIDE, key="x", state="done", worker=jobs.INLINE)
        schedule.tick()
        schedule.tick()
        assert list(Job.objects.filter(kind=JobKind.SELECT_BATCH).values_list("study_id")) == [(study.pk,)]


def test_two_that_finish_at_once_ask_for_one_batch_and_one_training(committed):
    study = factories.study(policy=POLICY)
    slide = slide_with_shard(study, regions=8)
    for region in slide.regions.all()[:4]:
        settle(region)
    barrier = threading.Barrier(4)

    def ask():
        barrier.wait()
        try:
            loop.nudge(study=study)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = Job.objects.filter(study=study).values_list("kind", "key")
    assert sorted(found) == [(JobKind.SELECT_BATCH, "1"), (JobKind.TRAIN_MODEL, "1")]


@pytest.mark.django_db
def test_an_old_training_is_not_run_again_beside_a_live_one(study):
    old = loop.train_now(study=study, trigger="a manager")
    end(old)
    live = loop.train_now(study=study, trigger="a manager")
    with pytest.raises(Conflict, match="one at a time"):
        jobs.retry(job=old)
    end(live)
    assert jobs.retry(job=old).state == JobState.READY
