"""What is due in a study now: a batch, a training, a refit of the annotators' reliability.

Decides from counted rows, so that it may be asked at any time by anyone; refuses to do the work: it enqueues
jobs, whose keys make a second question harmless. Asked after each submit, each job and by beat's tick.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet

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
from annotation.services import jobs, picks
from annotation.states import LIVE_JOBS, AuditHalf, JobKind, JobState, ModelState, StudyState

READING = (JobKind.TILE_SLIDE, JobKind.EMBED_SLIDE)
EMPTY_BATCH_AGAIN_AFTER = timedelta(seconds=30)


def nudge(*, study: Study) -> list[Job]:
    """Enqueue what is due in the study and return the jobs; nothing in a study that is not open."""
    study = Study.objects.get(pk=study.pk)
    if study.state == StudyState.DRAINING:
        due = [_refit_due(study)]
    elif study.state == StudyState.RUNNING:
        live = _live_kinds(study)
        due = [_refit_due(study), _training_due(study, live), _batch_due(study, live)]
    else:
        due = []
    return [job for job in due if job is not None]


def train_now(*, study: Study, trigger: str) -> Job:
    """Enqueue a training unless one waits or runs: that one is returned. One training at a time per study."""
    with transaction.atomic():
        Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        trainings = Job.objects.filter(study=study, kind=JobKind.TRAIN_MODEL)
        live = trainings.filter(state__in=LIVE_JOBS).first()
        if live is not None:
            return live
        upto = _settled(study).order_by("-id").values_list("id", flat=True).first() or 0
        payload = {"trigger": trigger, "upto": upto}
        return jobs.enqueue(
            study=study, kind=JobKind.TRAIN_MODEL, key=str(trainings.count() + 1), payload=payload
        )


def _live_kinds(study: Study) -> set[str]:
    live = Job.objects.filter(study=study, state__in=LIVE_JOBS)
    return set(live.order_by().values_list("kind", flat=True).distinct())


def _settled(study: Study) -> "QuerySet[GroundTruthRevision]":
    """Revisions that may teach a model; how many of them still stand is looked at by the training itself."""
    return GroundTruthRevision.objects.filter(
        study=study, is_settled=True, is_excluded=False, region__audit_half=AuditHalf.NONE
    )


def _training_due(study: Study, live: set[str]) -> Job | None:
    if JobKind.TRAIN_MODEL in live:
        return None
    policy = study.policy
    is_first = not TrainingSet.objects.filter(study=study).exists()
    wanted = policy.first_model_revisions if is_first else policy.retrain_every_revisions
    last = Job.objects.filter(study=study, kind=JobKind.TRAIN_MODEL).order_by("-id").first()
    fresh = _settled(study).filter(id__gt=last.payload.get("upto", 0) if last else 0)
    count = fresh[:wanted].count()
    if count >= wanted:
        return train_now(study=study, trigger=f"{count} newly settled revisions")
    is_late = last is not None and clock.now() - last.created_at > timedelta(
        minutes=policy.retrain_every_minutes
    )
    if count and is_late and not is_first:
        return train_now(
            study=study, trigger=f"{policy.retrain_every_minutes:g} minutes since the last training"
        )
    return None


def _refit_due(study: Study) -> Job | None:
    every = study.policy.refit_every_answers
    last = Job.objects.filter(study=study, kind=JobKind.REFIT_CONSENSUS).order_by("-id").first()
    if last is not None and last.state in LIVE_JOBS:
        return None
    fresh = Annotation.objects.filter(study=study, id__gt=last.payload.get("upto", 0) if last else 0)
    page = list(fresh.order_by("id").values_list("id", flat=True)[:every])
    if len(page) < every:
        return None
    number = int(last.key) + 1 if last else 1
    upto = fresh.order_by("-id").values_list("id", flat=True).first()
    return jobs.enqueue(study=study, kind=JobKind.REFIT_CONSENSUS, key=str(number), payload={"upto": upto})


def _batch_due(study: Study, live: set[str]) -> Job | None:
    if JobKind.SELECT_BATCH in live:
        return None
    newest = SelectionBatch.objects.filter(study=study).order_by("-number").first()
    if newest is None:
        # The first batch looks at the whole pool, so it waits until every slide has been read or has failed.
        is_due = not live & {kind.value for kind in READING} and _shards(study).exists()
    else:
        is_due = _is_low(study) or _has_newer_ranking(study, live)
    if not is_due or not study.regions.in_pool().exists():
        return None
    return _enqueue_batch(study, newest.number + 1 if newest else 1)


def _is_low(study: Study) -> bool:
    policy = study.policy
    return picks.open_count(study) < max(1, round(policy.watermark * policy.batch_size))


def _has_newer_ranking(study: Study, live: set[str]) -> bool:
    """Whether an active model that the newest batch was not drawn with has scored all slides."""
    if study.policy.selection != "learned" or JobKind.SCORE_SLIDE in live:
        return False
    drawn = SelectionBatch.objects.filter(study=study).exclude(strategy="recheck").order_by("-number").first()
    active = ModelVersion.objects.filter(study=study, state=ModelState.ACTIVE).first()
    if active is None or drawn is None or drawn.model_id == active.pk:
        return False
    return ScoreFile.objects.filter(model=active).exists()


def _enqueue_batch(study: Study, number: int) -> Job:
    key = str(number)
    done = Job.objects.filter(study=study, kind=JobKind.SELECT_BATCH, key=key, state=JobState.DONE).first()
    # A draw that found nothing to queue is repeated later: slides may have been read since.
    stale = done is not None and done.finished_at and clock.now() - done.finished_at > EMPTY_BATCH_AGAIN_AFTER
    return jobs.enqueue(
        study=study, kind=JobKind.SELECT_BATCH, key=key, payload={"number": number}, again=bool(stale)
    )


def _shards(study: Study) -> "QuerySet[FeatureShard]":
    return FeatureShard.objects.filter(slide__study=study)
