"""Crowds whose checks are looked at: a study of picks with a model's guesses, and scripted people who may be swayed.

Decides the rows; answers go through the services. For a test and for a benchmark.
"""

import numpy as np
from django.utils import timezone

from annotation.models import KnownTruth, Pick, Region, SelectionBatch, Study
from annotation.selectors import sway
from annotation.services import queue
from annotation.states import RegionState, Stratum
from learning.consensus.sway import Sway, estimate_sway
from tests import factories
from workers.simulation import crew
from workers.simulation.annotators import Habits

CODES = ("neutrophil", "lymphocyte", "monocyte", "eosinophil")
MODEL_ACCURACY = 0.85


def suggesting_study(regions: int, *, seed: int, **policy: object) -> Study:
    """Open picks with what a model expects first and second: right in 85 of 100, else second mostly."""
    shown = {"show_suggestions": True, "min_overlap": 2, "planted_check_rate": 0.0, "refit_every_answers": 100_000}
    study = factories.study(codes=CODES, policy={**shown, **policy}, seed=seed)
    on = factories.slide(study)
    rng = np.random.default_rng(seed)
    truths = rng.integers(0, len(CODES), regions)
    rows = Region.objects.bulk_create(
        Region(
            study=study, slide=on, index=place, x=place % 50 * 64, y=place // 50 * 64, width=64, height=64,
            public_id=study.opaque_id("region", on.checksum, place), state=RegionState.QUEUED,
        )
        for place in range(regions)
    )  # fmt: skip
    KnownTruth.objects.bulk_create(
        KnownTruth(region=row, label=CODES[truth]) for row, truth in zip(rows, truths, strict=True)
    )
    batch = SelectionBatch.objects.create(study=study, number=1, strategy="margin", seed=0, created_at=timezone.now())
    Pick.objects.bulk_create(
        Pick(
            study=study, batch=batch, batch_number=1, region=row, rank=place, stratum=Stratum.RANKED,
            slots_open=2, slots_granted=2, overlap=5, parts=_guess(int(truth), rng),
        )
        for place, (row, truth) in enumerate(zip(rows, truths, strict=True))
    )  # fmt: skip
    return study


def _guess(truth: int, rng: np.random.Generator) -> dict[str, object]:
    wrong = [code for place, code in enumerate(CODES) if place != truth]
    first, second = CODES[truth], str(rng.choice(wrong))
    if rng.random() >= MODEL_ACCURACY:
        first, second = second, first
    return {"predicted": first, "second": second, "top": 0.8}


def label(study: Study, *, people: int, habits: Habits, seed: int) -> list[crew.Person]:
    """Let scripted people answer, in turns, until nothing is left for anybody."""
    crowd = crew.hire(study=study, annotators=people, habits=habits, seed=seed, prefix=study.slug).annotators
    busy = list(crowd)
    while busy:
        busy = [person for person in busy if _answer_some(person)]
    return crowd


def _answer_some(person: crew.Person, at_once: int = 20) -> bool:
    leases = queue.claim_batch(member=person.member, count=at_once)
    for lease in leases:
        said = person.mind.answer(token=lease.token, region=lease.region.public_id, count=0)
        queue.submit(
            member=person.member, token=lease.token, answer={"kind": "class", "label": said.label},
            idempotency_key=lease.token,
        )  # fmt: skip
    return bool(leases)


def measure(study: Study) -> tuple[sway.Tally, Sway | None]:
    """What was planted in the study, and the sway that it shows."""
    codes = {study.protocol_id: {code: code for code in CODES}}
    tallies = sway.tally(study, codes=codes)
    total = sum(tallies.values(), start=sway.Tally())
    found = estimate_sway(followed=total.followed, planted=total.planted, lapses=total.lapses, controls=total.controls)
    return total, found
