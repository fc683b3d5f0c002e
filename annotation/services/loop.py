"""What is due in a study now: a batch, a training, a refit of the annotators' reliability.

Decides from counted rows, so that it may be asked at any time by anyone; refuses to do the work: it enqueues
jobs, whose keys make a second question harmless. Asked after each submit, each job and by beat's tick.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from annotation import clock
from annotation.models import (
    Annotation,
    FeatureShard,
    GroundTruthRevision,
    Job,
    ModelVersion,
    ScoreFile,
    SelectionBatch,
    Study,
    TrainingSet,
)
from annotation.services import acceptance, jobs, picks
from annotation.states import LIVE_JOBS, AuditHalf, JobKind, JobState, ModelState, SlideState, StudyState

READING = {JobKind.TILE_SLIDE.value, JobKind.EMBED_SLIDE.value}
EMPTY_BATCH_AGAIN_AFTER = timedelta(seconds=30)
FAILED_BATCH_AGAIN_AFTER = timedelta(minutes=5)


def nudge(*, study: Study) -> list[Job]:
    """Enqueue what is due in the study and return the jobs; nothing in a study that is not open."""
    study = Study.objects.get(pk=study.pk)
    if study.state not in (StudyState.RUNNING, StudyState.DRAINING):
        return []
    acceptance.close_finished(study=study)
    latest = _latest_jobs(study)
    due = [_refit_due(study, latest)]
    if study.state == StudyState.RUNNING:
        due += [_training_due(study, latest), _batch_due(study, latest)]
    return [job for job in due if job is not None]


def train_now(*, study: Study, trigger: str, encoder: int | None = None) -> Job:
    """Enqueue a training unless one waits or runs: that one is returned. One training at a time per study.

    `encoder`: number of the learned encoder to try; the active model's, where none is named.
    """
    with transaction.atomic():
        Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        trainings = Job.objects.filter(study=study, kind=JobKind.TRAIN_MODEL)
        live = trainings.filter(state__in=LIVE_JOBS).first()
        if live is not None:
            return live
        upto = find_lessons(study).order_by("-id").values_list("id", flat=True).first() or 0
        payload = {"trigger": trigger, "upto": upto} | ({"encoder": encoder} if encoder else {})
        return jobs.enqueue(study=study, kind=JobKind.TRAIN_MODEL, key=str(trainings.count() + 1), payload=payload)


def renew(*, study: Study, trigger: str) -> None:
    """Estimate people anew and, where there are models, train one: the classes have changed."""
    last = Job.objects.filter(study=study, kind=JobKind.REFIT_CONSENSUS).order_by("-id").first()
    upto = Annotation.objects.filter(study=study).order_by("-id").values_list("id", flat=True).first()
    if upto is not None and not _is_live(last):
        _enqueue_refit(study, last, upto)
    if TrainingSet.objects.filter(study=study).exists():
        train_now(study=study, trigger=trigger)


def _latest_jobs(study: Study) -> dict[str, Job]:
    """The newest job of each kind that is live, and of trainings and refits also where they have ended."""
    counted = Q(state__in=LIVE_JOBS) | Q(kind__in=[JobKind.TRAIN_MODEL, JobKind.REFIT_CONSENSUS])
    rows = Job.objects.filter(counted, study=study).order_by("kind", "-id").distinct("kind")
    return {job.kind: job for job in rows}


def _is_live(job: Job | None) -> bool:
    return job is not None and job.state in LIVE_JOBS


def find_lessons(study: Study) -> QuerySet[GroundTruthRevision]:
    """Revisions that may teach a model; how many of them still stand is looked at by the training itself."""
    return GroundTruthRevision.objects.filter(
        study=study, is_settled=True, is_excluded=False, region__audit_half=AuditHalf.NONE
    )


def _training_due(study: Study, latest: dict[str, Job]) -> Job | None:
    last = latest.get(JobKind.TRAIN_MODEL)
    if _is_live(last):
        return None
    if last is not None and last.result.get("waits") and not READING & latest.keys():
        return train_now(study=study, trigger=f"{last.payload.get('trigger')}; slides have been read again")
    policy = study.policy
    is_first = not TrainingSet.objects.filter(study=study).exists()
    wanted = policy.first_model_revisions
    if not is_first and ModelVersion.objects.filter(study=study, state=ModelState.ACTIVE).exists():
        wanted = policy.retrain_every_revisions
    fresh = find_lessons(study).filter(id__gt=last.payload.get("upto", 0) if last else 0)
    count = fresh[:wanted].count()
    if count >= wanted:
        return train_now(study=study, trigger=f"{count} newly settled revisions")
    pause = timedelta(minutes=policy.retrain_every_minutes)
    if count and not is_first and last is not None and clock.now() - (last.finished_at or last.created_at) > pause:
        return train_now(study=study, trigger=f"{policy.retrain_every_minutes:g} minutes since the last training")
    return None


def _refit_due(study: Study, latest: dict[str, Job]) -> Job | None:
    last = latest.get(JobKind.REFIT_CONSENSUS)
    if _is_live(last):
        return None
    every = study.policy.refit_every_answers
    fresh = Annotation.objects.filter(study=study, id__gt=last.payload.get("upto", 0) if last else 0)
    page = list(fresh.order_by("id").values_list("id", flat=True)[:every])
    if len(page) < every:
        return None
    upto = fresh.order_by("-id").values_list("id", flat=True).first()
    return _enqueue_refit(study, last, upto)


def _enqueue_refit(study: Study, last: Job | None, upto: int | None) -> Job:
    key = str(int(last.key) + 1 if last else 1)
    return jobs.enqueue(study=study, kind=JobKind.REFIT_CONSENSUS, key=key, payload={"upto": upto})


def _batch_due(study: Study, latest: dict[str, Job]) -> Job | None:
    if JobKind.SELECT_BATCH in latest:
        return None
    drawn = SelectionBatch.objects.filter(study=study).exclude(strategy="recheck").order_by("-number").first()
    if drawn is None:
        # The first batch looks at the whole pool, so it waits until every slide has been read or has failed.
        has_features = FeatureShard.objects.filter(slide__study=study)
        is_due = not READING & latest.keys() and has_features.exists()
    else:
        is_due = _is_low(study) or _has_newer_ranking(study, drawn, latest)
    # Regions given for a slide that can't be read wait in the pool for ever: nobody could look at them.
    if not is_due or not study.regions.in_pool().filter(slide__state=SlideState.TILED).exists():
        return None
    return _enqueue_batch(study, picks.next_number(study))


def _is_low(study: Study) -> bool:
    policy = study.policy
    return picks.open_count(study) < max(1, round(policy.watermark * policy.batch_size))


def _has_newer_ranking(study: Study, drawn: SelectionBatch, latest: dict[str, Job]) -> bool:
    """Whether an active model that the newest batch was not drawn with has scored all slides."""
    if study.policy.selection != "learned" or JobKind.SCORE_SLIDE in latest:
        return False
    active = ModelVersion.objects.filter(study=study, state=ModelState.ACTIVE).first()
    if active is None or drawn.model_id == active.pk:
        return False
    return ScoreFile.objects.filter(model=active).exists()


def _enqueue_batch(study: Study, number: int) -> Job:
    key = str(number)
    last = Job.objects.filter(study=study, kind=JobKind.SELECT_BATCH, key=key).first()
    # A draw that found nothing is repeated, as slides may have been read since; a failed one too, but rarely.
    pause = FAILED_BATCH_AGAIN_AFTER if last and last.state == JobState.FAILED else EMPTY_BATCH_AGAIN_AFTER
    is_stale = last is not None and last.finished_at is not None and clock.now() - last.finished_at > pause
    return jobs.enqueue(study=study, kind=JobKind.SELECT_BATCH, key=key, payload={"number": number}, again=is_stale)
