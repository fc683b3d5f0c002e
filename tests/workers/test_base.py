"""Running one job: what becomes of results, errors, lost attempts and an absent Redis."""

import threading
import time

import pytest
from django.db import connection

from annotation.errors import BadInput
from annotation.models import Job
from annotation.services import jobs
from annotation.states import JobKind, JobState
from learning.slides.errors import SlideError
from tests import factories
from workers import base, progress


class FakeStep:
    """A step at the boundary: does what the test says."""

    def __init__(self, work):
        self.work, self.calls = work, 0

    def run(self, job, report):
        self.calls += 1
        return self.work(job, report) or {}


@pytest.fixture
def step(monkeypatch):
    def put(work):
        fake = FakeStep(work)
        monkeypatch.setattr(base, "load_step", lambda job: fake)
        return fake

    return put


def enqueue(study=None, key="1"):
    return jobs.enqueue(study=study or factories.study(), kind=JobKind.SELECT_BATCH, key=key)


def run(job):
    ran = base.run_job(job.pk, worker="test", is_inline=True)
    job.refresh_from_db()
    return ran


@pytest.mark.django_db
class TestOutcomes:
    def test_a_second_message_for_finished_work_changes_nothing(self, step):
        fake = step(lambda job, report: {"picks": 2})
        job = enqueue()
        assert run(job)
        assert not run(job)
        assert fake.calls == 1
        assert (job.state, job.result) == (JobState.DONE, {"picks": 2})

    def test_progress_is_kept(self, step):
        step(lambda job, report: report(5, 5))
        job = enqueue()
        run(job)
        assert (job.done_units, job.total_units) == (5, 5)

    def test_bad_input_fails_at_once_with_its_sentence(self, step):
        def work(job, report):
            raise BadInput("The study asks for what can't be.")

        step(work)
        job = enqueue()
        run(job)
        assert (job.state, job.error) == (JobState.FAILED, "The study asks for what can't be.")

    def test_a_bad_slide_fails_at_once_without_its_path(self, step):
        def work(job, report):
            raise SlideError("/store/Jane Doe.svs", "The file is cut off.", "Copy it again.")

        step(work)
        job = enqueue()
        run(job)
        assert (job.state, job.error) == (JobState.FAILED, "The file is cut off. Copy it again.")

    def test_an_unexpected_error_is_tried_again(self, step):
        def work(job, report):
            raise RuntimeError("disk full")

        fake = step(work)
        job = enqueue()
        run(job)
        assert (job.state, job.error) == (JobState.READY, "RuntimeError: disk full")
        for _ in range(10):
            run(job)
        assert (job.state, fake.calls) == (JobState.FAILED, jobs.MAX_ATTEMPTS)

    def test_a_step_that_lost_its_job_writes_nothing_and_leaves_the_row_alone(self, step):
        def work(job, report):
            Job.objects.filter(pk=job.pk).update(attempt=7, worker="another")
            with report.fenced():
                job.study.delete()

        step(work)
        job = enqueue()
        run(job)
        assert (job.state, job.attempt, job.worker) == (JobState.RUNNING, 7, "another")

    def test_ready_jobs_run_in_the_order_of_their_ids_until_none_is_left(self, step):
        order = []

        def work(job, report):
            order.append(job.key)
            if job.key == "a":
                enqueue(job.study, key="c")

        step(work)
        study = factories.study(state="draft")
        enqueue(study, key="b"), enqueue(study, key="a")
        assert base.run_ready(study) == 3
        assert order == ["b", "a", "c"]


class TestHeart:
    def test_a_running_job_beats_while_its_step_is_busy(self, committed, step, monkeypatch):
        monkeypatch.setattr(progress, "BEAT_SECONDS", 0.05)
        seen = []

        def work(job, report):
            report(1, 4)
            before = Job.objects.get(pk=job.pk).heartbeat_at
            # The heart has a connection of its own to open, which takes a busy machine a while.
            deadline = time.monotonic() + 20
            while (row := Job.objects.get(pk=job.pk)).total_units == 0 and time.monotonic() < deadline:
                time.sleep(0.05)
            seen.append((row.heartbeat_at > before, row.done_units, row.total_units))

        step(work)
        base.run_job(enqueue().pk, worker="test")
        assert seen == [(True, 1, 4)]
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("heart")]

    def test_the_heart_tells_the_step_that_another_attempt_took_over(self, committed, step, monkeypatch):
        monkeypatch.setattr(progress, "BEAT_SECONDS", 0.05)

        def work(job, report):
            Job.objects.filter(pk=job.pk).update(attempt=2, worker="another")
            for number in range(200):
                report(number, 200)
                time.sleep(0.02)
            raise AssertionError("the step was never told")

        step(work)
        job = enqueue()
        base.run_job(job.pk, worker="test")
        job.refresh_from_db()
        assert (job.state, job.worker) == (JobState.RUNNING, "another")
        connection.close()
