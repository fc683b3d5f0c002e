"""Jobs as rows: claimed once, fenced, taken from the dead, given up at last."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.db.models import F

from annotation import clock
from annotation.models import Job
from annotation.selectors.dashboard import work
from annotation.selectors.dashboard.board import Board, Reading
from annotation.selectors.dashboard.filters import Filters
from annotation.services import jobs
from annotation.states import JobKind, JobState
from tests import factories


@pytest.fixture
def study(request):
    return factories.study()


def enqueue(study, key="1", **fields):
    return jobs.enqueue(study=study, kind=JobKind.SELECT_BATCH, key=key, **fields)


def grow_old(job, seconds=60):
    past = clock.now() - timedelta(seconds=seconds)
    Job.objects.filter(pk=job.pk).update(heartbeat_at=past, created_at=past, rung_at=None)


@pytest.mark.django_db
class TestRows:
    def test_the_same_work_is_queued_once(self, study):
        assert enqueue(study, payload={"number": 1}) == enqueue(study, payload={"number": 2})
        assert Job.objects.get().payload == {"number": 1}

    def test_claim_starts_an_attempt_and_a_second_claim_gets_nothing(self, study):
        job = enqueue(study)
        claimed = jobs.claim(job_id=job.pk, worker="a")
        assert (claimed.state, claimed.attempt, claimed.worker) == (JobState.RUNNING, 1, "a")
        assert jobs.claim(job_id=job.pk, worker="b") is None

    def test_a_vanished_row_is_nothing_to_do(self, study):
        assert jobs.claim(job_id=987654, worker="a") is None

    def test_a_finished_job_stays_finished_unless_asked_again(self, study):
        job = jobs.claim(job_id=enqueue(study).pk, worker="a")
        assert jobs.finish(job=job, result={"picks": 3})
        assert enqueue(study).state == JobState.DONE
        again = enqueue(study, again=True)
        assert (again.state, again.pk) == (JobState.READY, job.pk)
        assert jobs.claim(job_id=job.pk, worker="b").attempt == 2

    def test_many_are_queued_as_one_after_the_other_would_be(self, study, django_capture_on_commit_callbacks):
        waits, ended = enqueue(study, key="2", payload={"slide": "old"}), enqueue(study, key="3")
        jobs.finish(job=jobs.claim(job_id=ended.pk, worker="a"))
        payloads = {key: {"slide": key} for key in ("1", "2", "3", "4")}
        with django_capture_on_commit_callbacks() as bells:
            found = jobs.enqueue_many(study=study, kind=JobKind.SELECT_BATCH, payloads=payloads)
        assert len(bells) == 3
        assert [job.key for job in found] == ["1", "2", "3", "4"]
        assert (found[1].pk, found[2].pk) == (waits.pk, ended.pk)
        assert found[0].pk < found[3].pk
        rows = Job.objects.order_by("key")
        assert [job.state for job in rows] == [JobState.READY] * 4
        assert [job.payload["slide"] for job in rows] == ["1", "old", "3", "4"]

    def test_many_take_as_many_queries_as_few(self, study, django_assert_num_queries):
        for count in (1, 50):
            payloads = {f"{count} {number}": {} for number in range(count)}
            with django_assert_num_queries(3):
                assert len(jobs.enqueue_many(study=study, kind=JobKind.SCORE_SLIDE, payloads=payloads)) == count

    def test_an_old_attempt_can_neither_beat_nor_finish_nor_fail_nor_write(self, study):
        old = jobs.claim(job_id=enqueue(study).pk, worker="a")
        grow_old(old)
        assert jobs.reclaim_dead() == [old]
        new = jobs.claim(job_id=old.pk, worker="b")
        assert not jobs.heartbeat(job=old, done=1, total=2)
        assert not jobs.finish(job=old)
        assert not jobs.fail(job=old, error="late", may_retry=True)
        with pytest.raises(jobs.JobLost, match="no longer in the hands of attempt 1"), jobs.fenced(old):
            study.delete()
        with jobs.fenced(new):
            pass
        assert jobs.finish(job=new)

    def test_a_failure_is_tried_again_until_its_attempts_are_used(self, study):
        job = enqueue(study)
        for attempt in range(1, jobs.MAX_ATTEMPTS + 1):
            claimed = jobs.claim(job_id=job.pk, worker="a")
            assert claimed.attempt == attempt
            jobs.fail(job=claimed, error="No.", may_retry=True)
        assert jobs.claim(job_id=job.pk, worker="a") is None
        job.refresh_from_db()
        assert (job.state, job.error) == (JobState.FAILED, "No.")

    def test_a_failure_that_repeats_is_not_tried_again(self, study):
        job = jobs.claim(job_id=enqueue(study).pk, worker="a")
        jobs.fail(job=job, error="The slide can't be read.", may_retry=False)
        job.refresh_from_db()
        assert job.state == JobState.FAILED
        assert jobs.retry(job=job).state == JobState.READY

    def test_work_that_kills_its_workers_is_given_up_with_a_sentence(self, study):
        job = enqueue(study)
        for _ in range(jobs.MAX_ATTEMPTS):
            jobs.claim(job_id=job.pk, worker="a")
            grow_old(job)
            jobs.reclaim_dead()
        job.refresh_from_db()
        assert job.state == JobState.FAILED
        assert "last of 5 attempts" in job.error

    def test_a_beating_job_is_not_taken_for_dead(self, study):
        job = jobs.claim(job_id=enqueue(study).pk, worker="a")
        grow_old(job)
        assert jobs.heartbeat(job=job, done=3, total=7)
        assert jobs.reclaim_dead() == []
        job.refresh_from_db()
        assert (job.done_units, job.total_units) == (3, 7)

    def test_the_time_left_follows_from_the_speed_of_this_attempt(self, study):
        job = jobs.claim(job_id=enqueue(study).pk, worker="a")
        assert job.seconds_left is None
        jobs.heartbeat(job=job, done=200, total=1000)
        Job.objects.filter(pk=job.pk).update(started_at=F("heartbeat_at") - timedelta(seconds=50))
        job.refresh_from_db()
        assert job.seconds_left == 200
        table = work.PANEL.read(Board(Reading(study), Filters())).table("jobs")
        assert dict(zip([one.name for one in table.columns], table.rows[0], strict=True))["left"] == 3
        jobs.finish(job=job, done=1000, total=1000)
        job.refresh_from_db()
        assert job.seconds_left is None

    def test_bells_are_rung_again_only_after_a_while(self, study):
        job = enqueue(study)
        assert list(jobs.unrung()) == []
        grow_old(job)
        assert list(jobs.unrung()) == [job]
        jobs.mark_rung(job_ids=[job.pk])
        assert list(jobs.unrung()) == []

    def test_jobs_of_virtual_time_are_left_to_the_simulation(self, study):
        with clock.virtual(datetime(2026, 1, 1, tzinfo=UTC)):
            job = enqueue(study)
        grow_old(job)
        assert list(jobs.unrung()) == []
        assert jobs.claim(job_id=job.pk, worker="a worker") is None
        assert jobs.run_inline(study.pk)
        with clock.virtual(datetime(2026, 1, 1, tzinfo=UTC)):
            assert jobs.claim(job_id=job.pk, worker=jobs.INLINE) is not None
        assert jobs.reclaim_dead() == []


class TestRaces:
    def test_of_many_claims_at_once_one_wins(self, committed):
        job = enqueue(factories.study())
        barrier, won = threading.Barrier(6), []

        def claim(name):
            barrier.wait()
            try:
                won.append(jobs.claim(job_id=job.pk, worker=name))
            finally:
                connection.close()

        threads = [threading.Thread(target=claim, args=(str(number),)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len([one for one in won if one is not None]) == 1
        job.refresh_from_db()
        assert job.attempt == 1

    def test_a_locked_row_is_not_waited_for(self, committed):
        job = enqueue(factories.study())
        seen = []

        def claim():
            try:
                seen.append(jobs.claim(job_id=job.pk, worker="b"))
            finally:
                connection.close()

        with transaction.atomic():
            Job.objects.select_for_update().get(pk=job.pk)
            other = threading.Thread(target=claim)
            other.start()
            other.join(timeout=5)
            assert not other.is_alive()
        assert seen == [None]
