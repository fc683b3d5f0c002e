"""The one way to run a job: claim the row, beat, do the step, finish or fail the row.

Decides what becomes of an error; refuses to know what any step does. The bare Celery decorator is used here
only.
"""

import errno
import importlib
import logging
import os
import socket
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Protocol, cast

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.db import Error, connection

from annotation import clock
from annotation.errors import ConcordError
from annotation.models import Job, Study
from annotation.services import jobs, loop, modelling, networks
from annotation.states import JobKind, JobState
from learning.errors import EncoderError
from learning.slides.errors import SlideError
from workers import catalogue
from workers.progress import Heart, Progress

logger = logging.getLogger(__name__)


class Step(Protocol):
    """A module of `workers.steps`. Calling `run` twice for one job changes nothing the second time."""

    def run(self, job: Job, report: Progress) -> dict[str, Any]: ...


def declare(entry: catalogue.Entry) -> Callable[[int], bool]:
    """The Celery task of a catalogue entry."""

    def run(job_id: int) -> bool:
        return run_job(job_id, worker=f"{socket.gethostname()}:{os.getpid()}")

    run.__doc__ = f"Run one {entry.kind} job."
    return cast(
        Callable[[int], bool],
        shared_task(
            name=entry.task,
            acks_late=True,
            reject_on_worker_lost=True,
            ignore_result=True,
            soft_time_limit=entry.soft_seconds,
            time_limit=entry.hard_seconds,
        )(run),
    )


def declare_periodic(name: str, function: Callable[..., None]) -> Callable[..., None]:
    """A Celery task for beat: quick, idempotent, and worth nothing when late."""
    return cast(
        Callable[..., None],
        shared_task(name=name, acks_late=False, ignore_result=True, soft_time_limit=30, time_limit=40)(function),
    )


def run_job(job_id: int, *, worker: str, is_inline: bool = False) -> bool:
    """Run one job if it is ready; False where there was nothing to do for this worker."""
    job = jobs.claim(job_id=job_id, worker=worker)
    if job is None:
        return False
    report = Progress(job)
    begun = time.monotonic()
    try:
        with nullcontext() if is_inline else Heart(report):
            result = load_step(job).run(job, report)
        jobs.finish(job=job, result=result, done=report.done, total=report.total)
        logger.info("%s: done in %.1f s", job, time.monotonic() - begun)
    except jobs.JobLost as lost:
        logger.warning("%s", lost)
    except Exception as error:
        _fail(job, error)
    if not _is_one_of_many(job):
        _nudge(job.study)
    return True


def run_ready(study: Study, *, is_nudged: bool = False) -> int:
    """Run all ready jobs of a study in this process, in the order of their ids, until none is left.

    What is due is asked for first, unless the caller has just done so (`is_nudged`), as each submit does. In virtual
    time these are the jobs that were enqueued in virtual time, and no other.
    """
    worker = jobs.INLINE if clock.is_virtual() else f"here:{os.getpid()}"
    ready = Job.objects.filter(study=study, state=JobState.READY).order_by("id")
    mine = ready.filter(worker=jobs.INLINE) if clock.is_virtual() else ready.exclude(worker=jobs.INLINE)
    count = 0
    if not is_nudged:
        _nudge(study)
    while (job_id := mine.values_list("pk", flat=True).first()) is not None:
        count += run_job(job_id, worker=worker, is_inline=True)
    return count


def load_step(job: Job) -> Step:
    """The module that does this kind of work."""
    # Imported when needed: steps bring torch-sized libraries, and a worker's parent must stay small.
    name = catalogue.ENTRIES[JobKind(job.kind)].step
    return cast(Step, importlib.import_module(f"workers.steps.{name}"))


def _is_one_of_many(job: Job) -> bool:
    """Whether other slides still wait for their scores: a batch waits for all, so nothing is due through this one."""
    return job.kind == JobKind.SCORE_SLIDE and jobs.count_live(job.study, JobKind.SCORE_SLIDE) > 0


def _fail(job: Job, error: Exception) -> None:
    # What lies in a file is there the next time too.
    may_retry = not isinstance(error, ConcordError | SlideError | EncoderError)
    if may_retry:
        logger.error("Job %s (%s) failed", job.pk, job, exc_info=error)
    try:
        jobs.fail(job=job, error=_describe(error), may_retry=may_retry)
    except Error:
        # The database went away with the job; the sweep finds the row without a heartbeat.
        logger.exception("Job %s could not be failed", job.pk)
        connection.close()


def _describe(error: Exception) -> str:
    if isinstance(error, ConcordError):
        return error.message
    if isinstance(error, SlideError):
        # Without the path: file names never leave ingest.
        return f"{error.reason} {error.remedy}"
    if isinstance(error, EncoderError):
        return str(error)
    if isinstance(error, SoftTimeLimitExceeded):
        return "The time limit of this kind of work was reached."
    cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
    if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk that holds the store is full. Nothing half written was kept: free space and retry the job."
    return f"{type(error).__name__}: {error}"


def _nudge(study: Study) -> None:
    try:
        loop.nudge(study=study)
        modelling.enqueue_watch(study=study)
        networks.enqueue_due(study=study)
    except Error:
        logger.exception("Study %s was not nudged; the next tick does it", study.pk)
        connection.close()
