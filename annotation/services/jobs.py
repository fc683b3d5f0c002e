"""Background work as rows: what waits, what runs, what has ended.

Decides who may run a job and when it is given up; refuses to know what the work is or how messages travel.
Every write of a running job is fenced by its attempt: a copy that was taken for dead can't write any more.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import Q, QuerySet

from annotation import clock, events
from annotation.errors import Conflict
from annotation.models import Job, Study
from annotation.states import LIVE_JOBS, JobKind, JobState

INLINE = "inline"
"""The worker of jobs enqueued in virtual time: a lockstep simulation runs them itself, no worker may."""

MAX_ATTEMPTS = 5
DEAD_AFTER = timedelta(seconds=10)
RING_AGAIN_AFTER = timedelta(seconds=5)


class JobLost(Conflict):
    """This attempt no longer holds the job: a newer one runs, or someone gave it up."""

    code = "job-lost"


def enqueue(
    *, study: Study, kind: JobKind, key: str, payload: dict[str, Any] | None = None, again: bool = False
) -> Job:
    """The job for (study, kind, key), made where there is none; its bell is rung after commit.

    A finished or failed job is returned as it is, unless `again` asks for another run.
    """
    worker = INLINE if clock.is_virtual() else ""
    job, is_new = Job.objects.get_or_create(
        study=study,
        kind=kind,
        key=key,
        defaults={"payload": payload or {}, "max_attempts": MAX_ATTEMPTS, "worker": worker},
    )
    if is_new:
        _ring_after_commit(job)
    elif again and job.state not in LIVE_JOBS:
        return retry(job=job, payload=payload)
    return job


def enqueue_many(*, study: Study, kind: JobKind, payloads: Mapping[str, dict[str, Any]]) -> list[Job]:
    """As `enqueue` with `again` for every key of `payloads`, in a handful of statements."""
    worker = INLINE if clock.is_virtual() else ""
    known = {job.key: job for job in Job.objects.filter(study=study, kind=kind, key__in=payloads)}
    fresh = [
        Job(study=study, kind=kind, key=key, payload=payload, max_attempts=MAX_ATTEMPTS, worker=worker)
        for key, payload in payloads.items()
        if key not in known
    ]
    # Somebody may ask for the same at this moment; both find the row, and a bell that rings twice does no harm.
    Job.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=1000)
    made = {job.key: job for job in Job.objects.filter(study=study, kind=kind, key__in=[job.key for job in fresh])}
    for job in made.values():
        _ring_after_commit(job)
    ended = {key: job for key, job in known.items() if job.state not in LIVE_JOBS}
    again = {key: retry(job=job, payload=payloads[key]) for key, job in ended.items()}
    found = known | again | made
    return [found[key] for key in payloads]


def retry(*, job: Job, payload: dict[str, Any] | None = None) -> Job:
    """Make an ended job ready again with fresh attempts; a live one is returned as it is.

    Conflict for a training while another one of the study waits or runs.
    """
    with transaction.atomic():
        if job.kind == JobKind.TRAIN_MODEL:
            _check_alone(job)
        job = Job.objects.select_for_update(no_key=True).get(pk=job.pk)
        if job.state in LIVE_JOBS:
            return job
        job.state, job.error, job.finished_at = JobState.READY, "", None
        job.rung_at = clock.now()
        # `attempt` fences, so it only ever grows; the allowance grows with it.
        job.max_attempts = job.attempt + MAX_ATTEMPTS
        job.payload = job.payload if payload is None else payload
        job.worker = INLINE if clock.is_virtual() else ""
        job.save()
        _ring_after_commit(job)
    return job


def claim(*, job_id: int, worker: str) -> Job | None:
    """Take a ready job and start its next attempt; None where it is not ready or not for `worker`."""
    with transaction.atomic():
        try:
            rows = Job.objects.select_for_update(nowait=True, of=("self",), no_key=True).select_related("study")
            job = rows.filter(pk=job_id).first()
        except OperationalError as error:
            if not _is_locked(error):
                raise
            return None
        if job is None or job.state != JobState.READY or (job.worker == INLINE) != (worker == INLINE):
            return None
        job.state, job.worker = JobState.RUNNING, worker
        job.attempt += 1
        job.done_units = job.total_units = 0
        job.started_at = job.heartbeat_at = clock.now()
        job.finished_at = None
        job.save()
    return job


def heartbeat(*, job: Job, done: int, total: int) -> bool:
    """Say that the attempt lives and how far it is; False where it has lost the job."""
    held = _held(job).update(heartbeat_at=clock.now(), done_units=done, total_units=total)
    return bool(held)


def remember(*, job: Job, **facts: Any) -> None:
    """Add to the payload what the next attempt must not decide anew; JobLost where this one has lost the job."""
    with fenced(job):
        job.payload = {**job.payload, **facts}
        Job.objects.filter(pk=job.pk).update(payload=job.payload)


@contextmanager
def fenced(job: Job) -> Iterator[None]:
    """A transaction in which this attempt surely holds the job; JobLost at its start where it does not."""
    with transaction.atomic():
        if _held(job).select_for_update(no_key=True, of=("self",)).first() is None:
            raise JobLost(f"Job {job.pk} is no longer in the hands of attempt {job.attempt}.")
        yield


def finish(*, job: Job, result: dict[str, Any] | None = None, done: int = 0, total: int = 0) -> bool:
    """End the attempt well; False where it no longer holds the job."""
    return bool(
        _held(job).update(
            state=JobState.DONE,
            finished_at=clock.now(),
            result=result or {},
            error="",
            done_units=done,
            total_units=total,
        )
    )


def fail(*, job: Job, error: str, may_retry: bool) -> bool:
    """End the attempt with a sentence. With `may_retry` and attempts left the sweep rings it again later."""
    again = may_retry and job.attempt < job.max_attempts
    now = clock.now()
    return bool(
        _held(job).update(
            state=JobState.READY if again else JobState.FAILED,
            error=error,
            finished_at=None if again else now,
            rung_at=now,
            worker=job.worker if job.worker == INLINE else "",
        )
    )


def reclaim_dead() -> list[Job]:
    """Take running jobs without a heartbeat from their workers; returns those that are ready again."""
    ready = []
    with transaction.atomic():
        now = clock.now()
        dead = (
            Job.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
            .filter(state=JobState.RUNNING, heartbeat_at__lt=now - DEAD_AFTER)
            .exclude(worker=INLINE)
        )
        for job in dead.order_by("id"):
            job.error = f"Attempt {job.attempt} ended without a word: its worker died or lost the database."
            if job.attempt < job.max_attempts:
                job.state, job.worker = JobState.READY, ""
                job.rung_at = None
                ready.append(job)
            else:
                job.state, job.finished_at = JobState.FAILED, now
                job.error += f" That was the last of {job.max_attempts} attempts; retry it once the cause is known."
            job.save()
    return ready


def unrung(*, limit: int = 200) -> QuerySet[Job]:
    """Ready jobs whose bell was not rung lately, oldest first: their message may be lost."""
    before = clock.now() - RING_AGAIN_AFTER
    quiet = Q(rung_at__lt=before) | Q(rung_at__isnull=True, created_at__lt=before)
    return Job.objects.filter(quiet, state=JobState.READY).exclude(worker=INLINE).order_by("id")[:limit]


def mark_rung(*, job_ids: list[int]) -> None:
    """Note that messages for these jobs were sent."""
    Job.objects.filter(pk__in=job_ids, state=JobState.READY).update(rung_at=clock.now())


def count_live(study: Study, *kinds: JobKind) -> int:
    """How many jobs of these kinds (all, where none is named) wait or run."""
    live = Job.objects.filter(study=study, state__in=LIVE_JOBS)
    return (live.filter(kind__in=kinds) if kinds else live).count()


def run_inline(study_id: int) -> bool:
    """Whether a lockstep simulation runs this study's jobs itself: everyone else must leave it alone."""
    return Job.objects.filter(study_id=study_id, worker=INLINE).exists()


def _check_alone(job: Job) -> None:
    """One training at a time per study, whoever asks; the study's row is the lock, as in `loop.train_now`."""
    Study.objects.select_for_update(no_key=True).get(pk=job.study_id)
    others = Job.objects.filter(study=job.study_id, kind=job.kind, state__in=LIVE_JOBS).exclude(pk=job.pk)
    if others.exists():
        raise Conflict("Another training of this study waits or runs; there is one at a time.")


def _held(job: Job) -> QuerySet[Job]:
    return Job.objects.filter(pk=job.pk, attempt=job.attempt, state=JobState.RUNNING)


def _ring_after_commit(job: Job) -> None:
    if job.worker != INLINE:
        events.publish_job(job_id=job.pk, kind=job.kind)


def _is_locked(error: OperationalError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) == "55P03"
