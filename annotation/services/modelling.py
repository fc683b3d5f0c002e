"""The life of a model version: candidate, judged, active, rolled back to.

Decides which model is the active one; refuses to know how one is trained or measured.
"""

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import Count, Max

from annotation import clock
from annotation.errors import BadInput, Conflict, Refused
from annotation.models import FeatureShard, Job, Membership, ModelVersion, ScoreFile, Slide, Study, TrainingSet
from annotation.services import jobs, loop
from annotation.states import LIVE_JOBS, JobKind, ModelState, Role, StudyState, may_move


def freeze_training_set(*, study: Study, digest: str, revision_ids: list[int]) -> TrainingSet:
    """The study's training set of this digest, written where it is new."""
    training_set, _ = TrainingSet.objects.get_or_create(
        study=study,
        digest=digest,
        defaults={"revision_ids": revision_ids, "protocol": study.protocol, "created_at": clock.now()},
    )
    return training_set


@transaction.atomic
def register_candidate(
    *,
    training_set: TrainingSet,
    digest: str,
    configuration_digest: str,
    encoder: str,
    encoder_digest: str,
    class_codes: list[str],
    numbers: dict[str, Any],
) -> ModelVersion:
    """The model version for (training set, configuration), numbered when it is new."""
    study = Study.objects.select_for_update(no_key=True).get(pk=training_set.study_id)
    known = ModelVersion.objects.filter(
        study=study, training_set=training_set, configuration_digest=configuration_digest
    ).first()
    if known is not None:
        return known
    highest = ModelVersion.objects.filter(study=study).aggregate(number=Max("number"))["number"] or 0
    return ModelVersion.objects.create(
        study=study,
        number=highest + 1,
        digest=digest,
        training_set=training_set,
        configuration_digest=configuration_digest,
        encoder=encoder,
        encoder_digest=encoder_digest,
        class_codes=class_codes,
        numbers=numbers,
        created_at=clock.now(),
    )


@transaction.atomic
def judge(
    *, model: ModelVersion, promote: bool, reasons: list[str], numbers: dict[str, Any], looked: bool
) -> ModelVersion:
    """Activate or reject a candidate with the gate's reasons; a model that was judged stays as it is.

    `looked`: the gate half of the audit sample was looked at, which is counted.
    """
    study, model = _lock(model)
    if model.state != ModelState.CANDIDATE:
        return model
    before = ModelVersion.objects.filter(study=study).aggregate(looks=Max("audit_looks"))["looks"] or 0
    model.audit_looks = before + int(looked)
    model.gate_reasons = reasons
    model.numbers = {**model.numbers, **numbers}
    if promote:
        return _activate(study, model)
    model.state = ModelState.REJECTED
    model.save()
    return model


@transaction.atomic
def activate(*, model: ModelVersion, reason: str) -> ModelVersion:
    """Make this the study's one active model; the one before it retires. Conflict where it may not."""
    study, model = _lock(model)
    if model.state == ModelState.ACTIVE:
        return model
    if not may_move(model.state, ModelState.ACTIVE, of=ModelState):
        raise Conflict(f"Model {model.number} is {model.state} and can't become active.")
    model.gate_reasons = [*model.gate_reasons, reason]
    return _activate(study, model)


def rollback(*, study: Study, model: ModelVersion, member: Membership, reason: str) -> ModelVersion:
    """Go back to an earlier model: a manager's decision, with a reason. Nothing is trained or deleted."""
    if member.study_id != study.pk or model.study_id != study.pk:
        raise BadInput("The model and the person must belong to the study.")
    if member.role != Role.MANAGER or not member.is_active:
        raise Refused("Only a manager of the study can choose its active model.")
    if not reason.strip():
        raise BadInput("Going back to another model needs a reason.")
    model = activate(model=model, reason=f"Made active by {member.pseudonym}: {reason.strip()}")
    loop.nudge(study=study)
    return model


def enqueue_scoring(*, model: ModelVersion, lost: Collection[int] = ()) -> list[Job]:
    """One scoring job for each slide that has features for this model and no scores yet, or whose scores are `lost`.

    The audit sample is never ranked, so its slides are not scored.
    """
    shards = FeatureShard.objects.filter(slide__study=model.study, encoder_digest=model.encoder_digest)
    scored = ScoreFile.objects.filter(model=model).exclude(slide__in=lost).values("slide")
    slides = shards.filter(slide__case__audit_half="").exclude(slide__in=scored).order_by("slide__public_id")
    payloads = {
        f"{model.number}:{public_id}": {"model": model.number, "slide": public_id}
        for public_id in slides.values_list("slide__public_id", flat=True).distinct()
    }
    return jobs.enqueue_many(study=model.study, kind=JobKind.SCORE_SLIDE, payloads=payloads)


def enqueue_active_scoring(*, study: Study) -> list[Job]:
    """Scoring jobs for slides that the active model has not seen; none where no model is active.

    For a transaction that has just written features: a model that becomes active at this moment sees them, or is seen.
    """
    active = lock_active(study=study)
    return enqueue_scoring(model=active) if active else []


def enqueue_watch(*, study: Study) -> Job | None:
    """The look at the study's domains, once the active model has scored all slides, and again when later slides are.

    None where nothing is due. Not asked after each submit, as `loop.nudge` is: no answer brings a look about.
    """
    before = (JobKind.TILE_SLIDE, JobKind.EMBED_SLIDE, JobKind.SCORE_SLIDE, JobKind.WATCH_DOMAINS)
    if jobs.count_live(study, *before):
        return None
    active = ModelVersion.objects.filter(study=study, study__state=StudyState.RUNNING, state=ModelState.ACTIVE)
    counted = active.annotate(scored=Count("score_files"))
    number, scored, seen = counted.values_list("number", "scored", "numbers__domains__slides").first() or (0, 0, None)
    if not scored or scored == seen:
        return None
    job = jobs.enqueue(study=study, kind=JobKind.WATCH_DOMAINS, key=f"{number}:{scored}", payload={"model": number})
    return job if job.state in LIVE_JOBS else None  # one that failed is a manager's to retry


def lock_active(*, study: Study) -> ModelVersion | None:
    """The active model, which stays the active one until the end of the transaction."""
    Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    return ModelVersion.objects.filter(study=study, state=ModelState.ACTIVE).first()


def record_scores(*, model: ModelVersion, slide: Slide, stored_name: str, rows: int) -> None:
    """The row of a slide's scores under a model, where there is none yet; in one statement, as slides are many."""
    record = ScoreFile(model=model, slide=slide, stored_name=stored_name, rows=rows)
    ScoreFile.objects.bulk_create([record], ignore_conflicts=True)


@transaction.atomic
def record_domains(*, model: ModelVersion, slides: int, found: dict[str, dict[str, Any]]) -> ModelVersion:
    """Keep what was found of each domain under this model, from so many scored slides, in place of an earlier look."""
    _, model = _lock(model)
    trained_on = {name: one["trained"] for name, one in found.items() if one["trained"]}
    # A model of an older program has not written down what it was trained on.
    model.numbers = {"trained_on": trained_on, **model.numbers, "domains": {"slides": slides, "found": found}}
    model.save(update_fields=["numbers"])
    return model


def _activate(study: Study, model: ModelVersion) -> ModelVersion:
    ModelVersion.objects.filter(study=study, state=ModelState.ACTIVE).update(state=ModelState.RETIRED)
    model.state = ModelState.ACTIVE
    model.activated_at = clock.now()
    model.save()
    enqueue_scoring(model=model)
    return model


def _lock(model: ModelVersion) -> tuple[Study, ModelVersion]:
    """The study's row is the lock of everything about its models."""
    study = Study.objects.select_for_update(no_key=True).get(pk=model.study_id)
    return study, ModelVersion.objects.select_related("study").get(pk=model.pk)
