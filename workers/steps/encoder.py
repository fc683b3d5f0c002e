"""From settled regions to a learned encoder: their pixels are read, a network is trained, its weights are kept.

Decides which cases the network may learn from; refuses to know how it learns, and to say whether it is used: a model
on its features has to pass the gate. Each attempt goes on where the last one stood. No audit region is learned from.
"""

import hashlib
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation import mapping
from annotation.models import EncoderVersion, GroundTruthRevision, Job, Region, Study, TrainingSet
from annotation.policy import LEARNED_ENCODER
from annotation.services import jobs, modelling, networks
from learning.features.cnn import encoder, training
from workers import bridge, files, pixels
from workers.progress import Progress
from workers.steps.training import digest_training_set

FEWEST_CASES = 5
FEWEST_PER_CLASS = 2
HELD_SHARE = 0.2
"""Of the cases: kept from the network, so that probabilities over its features can be calibrated and judged on them."""


@dataclass(frozen=True)
class Lesson:
    """N settled regions in the order of slides' public ids and regions' indices, and what is known of them.

    `slides` are public ids, `rectangles` (N, 4) level-0 px, `labels` (N,) index into `codes`, `cases` codes.
    """

    codes: list[str]
    names: list[tuple[str, int]]
    revision_ids: list[int]
    slides: list[str]
    rectangles: NDArray[np.int64]
    labels: NDArray[np.int64]
    cases: list[str]

    def keep(self, rows: NDArray[np.bool_]) -> "Lesson":
        """The regions where `rows` (N,) holds."""
        at = np.flatnonzero(rows).tolist()
        return replace(
            self,
            names=[self.names[row] for row in at],
            revision_ids=[self.revision_ids[row] for row in at],
            slides=[self.slides[row] for row in at],
            rectangles=self.rectangles[rows],
            labels=self.labels[rows],
            cases=[self.cases[row] for row in at],
        )


def run(job: Job, report: Progress) -> dict[str, Any]:
    """Train the study's encoder whose number is the job's key, unless that one exists."""
    study, number = job.study, int(job.key)
    known = EncoderVersion.objects.filter(study=study, number=number).first()
    if known is not None:
        return {"encoder": number, "why": "An encoder of this number exists."}
    lesson, training_set, why_not = _take_lesson(job)
    if training_set is None:
        return {"encoder": None, "why": why_not}
    version, numbers = _learn(lesson, training_set, number, report)
    return {"encoder": version.number, "regions": len(lesson.labels), **numbers}


def _take_lesson(job: Job) -> tuple[Lesson, TrainingSet | None, str]:
    """What is learned from, the same in every attempt; or in a sentence why nothing can be learned yet."""
    study = job.study
    kept = job.payload.get("training_set")
    if kept is not None:
        training_set = TrainingSet.objects.get(pk=kept)
        return _read(study, training_set.revision_ids), training_set, ""
    settled = Region.objects.filter(
        study=study, current_revision__is_settled=True, current_revision__is_excluded=False
    ).learnable()
    whole = _read(study, list(settled.values_list("current_revision_id", flat=True)))
    held = hold_back(study, sorted(set(whole.cases)))
    lesson = whole.keep(np.array([case not in held for case in whole.cases], dtype=bool))
    why_not = _find_obstacle(whole, lesson)
    if why_not:
        return lesson, None, why_not
    training_set = modelling.freeze_training_set(
        study=study,
        digest=digest_training_set(lesson.names, lesson.labels, lesson.codes),
        revision_ids=lesson.revision_ids,
    )
    jobs.remember(job=job, training_set=training_set.pk)
    return lesson, training_set, ""


def hold_back(study: Study, cases: list[str]) -> set[str]:
    """A fifth of the cases, drawn by their codes and the study's seed, the same cases whenever they are asked for."""
    if len(cases) < FEWEST_CASES:
        return set()
    drawn = sorted(cases, key=lambda case: hashlib.sha256(f"encoder {study.seed} {case}".encode()).digest())
    return set(drawn[: round(HELD_SHARE * len(cases))])


def _find_obstacle(whole: Lesson, lesson: Lesson) -> str:
    cases = len(set(whole.cases))
    if cases < FEWEST_CASES:
        return (
            f"A network is trained on {FEWEST_CASES} cases or more, as some are kept from it to judge it by; "
            f"{cases} have settled regions outside the audit sample so far."
        )
    counts = np.bincount(lesson.labels, minlength=len(lesson.codes))
    if int((counts >= FEWEST_PER_CLASS).sum()) < 2:
        return f"A network tells classes apart: it needs two classes with {FEWEST_PER_CLASS} settled regions each."
    return ""


def _read(study: Study, revision_ids: list[int]) -> Lesson:
    """The regions of these revisions whose labels hold under today's protocol."""
    codes = bridge.learnable_codes(study)
    at = {code: place for place, code in enumerate(codes)}
    table = mapping.exact_codes(study)
    rows = GroundTruthRevision.objects.filter(pk__in=revision_ids).order_by("region__slide__public_id", "region__index")
    found = [
        (public_id, number, pk, slide, (x, y, width, height), at[code], case)
        for public_id, number, pk, slide, x, y, width, height, protocol, label, case in rows.values_list(
            "region__public_id", "number", "pk", "region__slide__public_id", "region__x", "region__y",
            "region__width", "region__height", "protocol_id", "label", "region__slide__case__code",
        )
        if (code := table.get(protocol, {}).get(label, "")) in at
    ]  # fmt: skip
    return Lesson(
        codes=codes,
        names=[(row[0], row[1]) for row in found],
        revision_ids=[row[2] for row in found],
        slides=[row[3] for row in found],
        rectangles=np.array([row[4] for row in found], dtype=np.int64).reshape(-1, 4),
        labels=np.array([row[5] for row in found], dtype=np.int64),
        cases=[row[6] for row in found],
    )


def _learn(
    lesson: Lesson, training_set: TrainingSet, number: int, report: Progress
) -> tuple[EncoderVersion, dict[str, Any]]:
    study = training_set.study
    settings = replace(training.CnnSettings(), seed=files.seed_of(study, files.ENCODER, number))
    checkpoint = files.checkpoint_path(study, number)
    begun = time.monotonic()
    network = training.train(
        pixels=pixels.read(
            study,
            lesson.slides,
            lesson.rectangles,
            edge=settings.network.edge,
            after_slide=lambda: report(0, 0),
        ),
        labels=lesson.labels,
        classes=len(lesson.codes),
        settings=settings,
        checkpoint=checkpoint,
        report=report,
    )
    beside = bridge.choose_encoder(study).digest
    learned = encoder.store(files.networks_folder(), network, settings.network, beside=beside)
    numbers = {"regions": len(lesson.labels), "seconds": round(time.monotonic() - begun, 1)}
    with report.fenced():
        version = networks.register(
            training_set=training_set,
            number=number,
            name=LEARNED_ENCODER,
            digest=learned.digest,
            weights=learned.weights_digest,
            beside=beside,
            seen_cases=sorted(set(lesson.cases)),
            numbers={**numbers, "settings": asdict(settings)},
        )
    checkpoint.unlink(missing_ok=True)
    return version, numbers
