"""The life of a learned encoder: registered with its weights, its features computed slide by slide, tried by a model.

Decides when features are due and which encoder the next model looks through; refuses to know how a network learns.
Nothing waits for it: the active model keeps its own features until a model on the new ones has passed the gate.
"""

from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet

from annotation import clock
from annotation.models import EncoderVersion, FeatureShard, Job, ModelVersion, Slide, Study, TrainingSet
from annotation.services import jobs
from annotation.states import LIVE_JOBS, JobKind, JobState, ModelState, SlideState


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
        enqueue_embedding(version=version)
    return version


def enqueue_embedding(*, version: EncoderVersion) -> list[Job]:
    """A job for each slide without features of this encoder that has none yet."""
    missing = without_features(version).values_list("public_id", flat=True)
    return [embed(study=version.study, public_id=public_id, version=version) for public_id in missing]


def embed(*, study: Study, public_id: str, version: EncoderVersion | None, again: bool = False) -> Job:
    """The job that has an encoder look at a slide; once more where `again`, as its features were lost."""
    payload: dict[str, Any] = {"again": True} if again else {}
    if version is not None:
        payload |= {"slide": public_id, "encoder": version.number}
    key = embedding_key(public_id, version)
    return jobs.enqueue(study=study, kind=JobKind.EMBED_SLIDE, key=key, payload=payload, again=again)


def embed_late(*, study: Study) -> None:
    """Show what has come since to the learned encoders that are used or tried."""
    if study.encoders.exists():
        for version in {find_current(study), find_untried(study)}:
            if version is not None:
                enqueue_embedding(version=version)


def embedding_key(public_id: str, version: EncoderVersion | None) -> str:
    """The natural key of a slide's embedding: the slide alone for the encoder that every study begins with."""
    return f"{public_id}:{version.number}" if version else public_id


def without_features(version: EncoderVersion) -> QuerySet[Slide]:
    """Tiled slides that this encoder has not looked at, by their public ids."""
    whole = FeatureShard.objects.filter(
        slide__study=version.study, encoder_digest=version.digest, tiling_digest=F("slide__tiling_digest")
    )
    tiled = Slide.objects.filter(study=version.study, state=SlideState.TILED)
    return tiled.exclude(pk__in=whole.values("slide")).order_by("public_id")


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


def is_complete(version: EncoderVersion) -> bool:
    """Whether every slide has features of this encoder, but for those whose embedding has failed for good."""
    left = list(without_features(version).values_list("public_id", flat=True))
    keys = [embedding_key(public_id, version) for public_id in left]
    failed = Job.objects.filter(
        study=version.study, kind=JobKind.EMBED_SLIDE, key__in=keys, state=JobState.FAILED
    ).count()
    has_any = FeatureShard.objects.filter(slide__study=version.study, encoder_digest=version.digest).exists()
    return has_any and failed == len(left)


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
