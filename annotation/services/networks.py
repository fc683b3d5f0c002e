"""The life of a learned encoder: registered with its weights, its features computed slide by slide, tried by a model.

Decides when features are due and which encoder the next model looks through; refuses to know how a network learns.
Nothing waits for it: the active model keeps its own features until a model on the new ones has passed the gate.
"""

import math
from typing import Any

from django.db import transaction

from annotation import clock
from annotation.models import EncoderVersion, Job, ModelVersion, Slide, Study, TrainingSet
from annotation.policy import LEARNED_ENCODER
from annotation.services import jobs, loop
from annotation.states import LIVE_JOBS, JobKind, ModelState, SlideState, StudyState


@transaction.atomic
def register(
    *,
    training_set: TrainingSet,
    number: int,
    name: str,
    digest: str,
    weights: str,
    beside: str,
    seen_cases: list[str],
    numbers: dict[str, Any],
) -> EncoderVersion:
    """The study's encoder of this number, written where it is new, and one embedding job for each slide."""
    version, is_new = EncoderVersion.objects.get_or_create(
        study=training_set.study,
        number=number,
        defaults={
            "name": name,
            "digest": digest,
            "weights": weights,
            "beside": beside,
            "training_set": training_set,
            "seen_cases": seen_cases,
            "numbers": numbers,
            "created_at": clock.now(),
        },
    )
    if is_new:
        tiled = Slide.objects.filter(study=version.study, state=SlideState.TILED).order_by("public_id")
        slides = tiled.values_list("public_id", flat=True)
        payloads = {embedding_key(public_id, version): _payload(public_id, version) for public_id in slides}
        jobs.enqueue_many(study=version.study, kind=JobKind.EMBED_SLIDE, payloads=payloads)
    return version


def embed(*, study: Study, public_id: str, version: EncoderVersion | None, again: bool = False) -> Job:
    """The job that has an encoder look at a slide; once more where `again`, as its features were lost."""
    payload = _payload(public_id, version) | ({"again": True} if again else {})
    key = embedding_key(public_id, version)
    return jobs.enqueue(study=study, kind=JobKind.EMBED_SLIDE, key=key, payload=payload, again=again)


def embed_late(*, slide: Slide) -> None:
    """Show a slide, which the study's first encoder has just looked at, to the learned ones that are used or tried."""
    study = slide.study
    if study.encoders.exists():
        for version in {find_current(study), find_untried(study)}:
            if version is not None:
                embed(study=study, public_id=slide.public_id, version=version)


def embedding_key(public_id: str, version: EncoderVersion | None) -> str:
    """The natural key of a slide's embedding: the slide alone for the encoder that every study begins with."""
    return f"{public_id}:{version.number}" if version else public_id


def _payload(public_id: str, version: EncoderVersion | None) -> dict[str, Any]:
    return {"slide": public_id, "encoder": version.number} if version else {}


def find_current(study: Study) -> EncoderVersion | None:
    """The learned encoder that the active model looks through; None where that is no learned one."""
    active = ModelVersion.objects.filter(study=study, state=ModelState.ACTIVE).first()
    return EncoderVersion.objects.filter(study=study, digest=active.encoder_digest).first() if active else None


def find_untried(study: Study) -> EncoderVersion | None:
    """The newest learned encoder, where no model was judged on its features yet."""
    newest = EncoderVersion.objects.filter(study=study).order_by("-number").first()
    if newest is None:
        return None
    judged = ModelVersion.objects.filter(study=study, encoder_digest=newest.digest)
    return None if judged.exclude(state=ModelState.CANDIDATE).exists() else newest


def enqueue_due(*, study: Study) -> Job | None:
    """What is due in a study that wants a learned encoder: a model that tries the newest, or else a newer one.

    Asked after jobs and by beat's tick, not after each submit: nobody waits for it.
    """
    if (
        study.policy.encoder != LEARNED_ENCODER
        or not Study.objects.filter(pk=study.pk, state=StudyState.RUNNING).exists()
    ):
        return None
    newest = EncoderVersion.objects.filter(study=study).select_related("training_set").order_by("-number").first()
    if newest is None or _was_tried(newest):
        return _train_where_grown(study, newest)
    if _is_looking(newest):
        return None
    trigger = f"encoder {newest.number} has looked at every slide"
    return loop.train_now(study=study, trigger=trigger, encoder=newest.number)


def _was_tried(version: EncoderVersion) -> bool:
    """Whether a training has tried this encoder, also one that came to no model: it is not asked again and again."""
    trial = Job.objects.filter(study=version.study, kind=JobKind.TRAIN_MODEL, payload__encoder=version.number)
    last = trial.order_by("-id").first()
    return last is not None and last.state not in LIVE_JOBS and not last.result.get("waits")


def _is_looking(version: EncoderVersion) -> bool:
    looks = Job.objects.filter(study=version.study, kind=JobKind.EMBED_SLIDE, payload__encoder=version.number)
    return looks.filter(state__in=LIVE_JOBS).exists()


def _train_where_grown(study: Study, newest: EncoderVersion | None) -> Job | None:
    policy = study.policy
    last = Job.objects.filter(study=study, kind=JobKind.TRAIN_ENCODER).order_by("-id").first()
    wanted = policy.encoder_first_revisions
    if newest is not None:
        wanted = max(wanted, math.ceil(policy.encoder_growth * len(newest.training_set.revision_ids)))
    fresh = loop.find_lessons(study).filter(id__gt=last.payload.get("upto", 0) if last else 0).order_by("-id")
    newest_first = list(fresh.values_list("id", flat=True)[:wanted])
    if len(newest_first) < wanted:
        return None
    return train_now(study=study, upto=newest_first[0], trigger=f"{wanted} newly settled revisions")


def train_now(*, study: Study, upto: int, trigger: str) -> Job:
    """Enqueue the training of the next encoder, unless one waits or runs: that one is returned."""
    with transaction.atomic():
        Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        trainings = Job.objects.filter(study=study, kind=JobKind.TRAIN_ENCODER)
        live = trainings.filter(state__in=LIVE_JOBS).first()
        if live is not None:
            return live
        payload = {"trigger": trigger, "upto": upto}
        return jobs.enqueue(study=study, kind=JobKind.TRAIN_ENCODER, key=str(trainings.count() + 1), payload=payload)
