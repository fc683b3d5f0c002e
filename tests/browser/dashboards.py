"""A study in the middle of its work, for the manager's pages: answers, ties, checks, models, jobs, a pass.

Decides what there is to see on a dashboard; refuses to look at one.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from annotation.models import (
    Assignment,
    Gold,
    Job,
    ModelVersion,
    Pick,
    SelectionBatch,
    Slide,
    TrainingSet,
    WorkerStamp,
)
from annotation.services import consensus, queue
from annotation.states import AssignmentKind, JobKind, JobState, ModelState, Stratum
from tests import factories
from tests.annotation.api import scene
from tests.browser.smear import Smear

F1 = (0.41, 0.55, 0.62)
UNLIKE = {
    "verdict": "unlike", "cases": 9, "learned_cases": 2, "regions": 300, "trained": 6, "nearest": "north",
    "apart": {"value": 0.93, "usual": 0.71, "p": 0.005, "cases": 9, "known_cases": 12},
    "classes": {"value": 0.31, "usual": 0.12, "p": 0.01, "low": 0.2, "high": 0.42, "cases": 9, "known_cases": 12},
    "stability_index": 0.4, "usual_level": 0.1,
    "disagreement": {"value": 0.06, "usual": 0.03, "p": 0.02, "low": 0.02, "high": 0.1, "cases": 9, "known_cases": 12},
}  # fmt: skip
LEARNED = {
    **UNLIKE,
    "verdict": "learned",
    "learned_cases": 12,
    "cases": 12,
    "trained": 74,
    "nearest": "",
} | dict.fromkeys(("apart", "classes", "stability_index", "disagreement", "usual_level"))


def fill(smear: Smear, *, answers: int = 14) -> None:
    """Two people answer the first regions, differing now and then; models, jobs and a pass stand beside them."""
    Pick.objects.filter(study=smear.study).update(stratum=Stratum.RANDOM)
    for place in range(answers):
        smear.answer(smear.annotator, seconds=4.0 + place % 3)
        smear.answer(smear.colleague, smear.codes[0] if place % 5 == 4 else "", seconds=6.0)
    consensus.refit(study=smear.study)
    add_models(smear)
    add_jobs(smear)
    add_gold(smear)
    add_pass(smear)


def add_models(smear: Smear) -> None:
    """Three models: an old one, the active one, and one that the gate refused; hits of the active one."""
    for number, score in enumerate(F1, start=1):
        training_set = TrainingSet.objects.create(
            study=smear.study,
            digest=f"{number:064d}",
            revision_ids=list(range(40 * number)),
            protocol=smear.study.protocol,
            created_at=timezone.now(),
        )
        ModelVersion.objects.create(
            study=smear.study,
            number=number,
            digest=f"{number:064d}",
            state=(ModelState.RETIRED, ModelState.ACTIVE, ModelState.REJECTED)[number - 1],
            training_set=training_set,
            configuration_digest="c" * 64,
            encoder="colour-texture",
            encoder_digest="e" * 64,
            class_codes=smear.codes,
            numbers=_numbers(smear, score),
            gate_reasons=[f"Macro-F1 {score:.3f} on the audit sample."],
            audit_looks=number,
            created_at=timezone.now() - timedelta(hours=4 - number),
            activated_at=timezone.now() if number < 3 else None,
        )
    active = ModelVersion.objects.get(study=smear.study, number=2)
    SelectionBatch.objects.filter(study=smear.study).update(model=active)
    for place, pick in enumerate(Pick.objects.filter(study=smear.study).order_by("rank")):
        truth = pick.region.known_truth.label
        pick.parts = {"predicted": truth if place % 3 else smear.codes[0], "top": 0.7}
        pick.stratum = Stratum.RANDOM if place % 2 else Stratum.RANKED
        pick.save(update_fields=["parts", "stratum"])


def _numbers(smear: Smear, score: float) -> dict[str, Any]:
    domains = sorted(set(Slide.objects.filter(study=smear.study).values_list("domain__name", flat=True)))
    return {
        "out_of_fold": {"macro_f1": score - 0.05},
        "gate": {
            "basis": "audit",
            "candidate": {"macro_f1": score, "macro_f1_low": score - 0.08, "macro_f1_high": score + 0.08},
            "everywhere": {"drawn": 90, "macro_f1": [score - 0.01, score - 0.09, score + 0.07]},
            "domains": {
                name: {"items": 30, "cases": 4, "right": 0.6 + place / 30, "low": 0.5, "high": 0.8}
                for place, name in enumerate(domains)
            },
        },
        # The first domain is unlike what is known, the next is known, the last has never been seen.
        "trained_on": dict(zip(domains[:-1], (6, 74), strict=True)),
        "growth": {"before": 40, "now": 80, "items": 90, "cases": 12, "gain": 0.002, "low": -0.003, "high": 0.007},
        "domains": {"slides": 8, "found": dict(zip(domains, (UNLIKE, LEARNED, {**UNLIKE, "trained": 0}), strict=True))},
        "pilot": {
            "regions": 100, "basis": "audit", "items": 84, "cases": 9, "labels": 50,
            "ranked": [0.71, 0.63, 0.78], "random": [0.64, 0.55, 0.72], "difference": [0.07, 0.01, 0.13],
            "saved": [0.31, 0.12, 0.46], "curve": [[25, 60, 0.6, 52, 0.52], [50, 120, 0.71, 104, 0.64]],
        },
    }  # fmt: skip


def add_jobs(smear: Smear) -> None:
    """A job that failed, and workers of which one is gone."""
    Job.objects.create(
        study=smear.study,
        kind=JobKind.REFIT_CONSENSUS,
        key="7",
        state=JobState.FAILED,
        attempt=5,
        max_attempts=5,
        error="The disk was full.",
    )
    WorkerStamp.objects.create(queue="io", seen_at=timezone.now(), worker="host:1")
    WorkerStamp.objects.create(queue="train", seen_at=timezone.now() - timedelta(minutes=9), worker="host:2")


def add_gold(smear: Smear) -> None:
    """A gold region that the annotator gets right."""
    region = smear.regions[-1]
    Gold.objects.filter(region=region).delete()
    factories.gold(region, label=region.known_truth.label)
    now = timezone.now()
    lease = Assignment.objects.create(
        study=smear.study, region=region, annotator=smear.annotator, kind=AssignmentKind.GOLD,
        leased_at=now, expires_at=now + timedelta(minutes=5),
    )  # fmt: skip
    answer = {"kind": "class", "label": region.known_truth.label}
    queue.submit(member=smear.annotator, token=lease.token, answer=answer, idempotency_key="gold")


def add_pass(smear: Smear) -> None:
    """A finished pass with an open blocker and an open warning."""
    row = scene.add_pass(smear.study)
    scene.add_finding(row, region=smear.regions[0])
    scene.add_finding(row, region=smear.regions[1], severity="warning")
    scene.finish(row)
