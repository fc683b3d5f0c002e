"""A study as large as the promises speak of: a million regions on 400 slides, and two months of work on them.

Decides people, slides, models and passes; the many rows below them are in `bulk`. Smaller ones by `regions`.
"""

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.contrib.auth import get_user_model
from django.db import connections
from django.utils import timezone

from annotation import store
from annotation.models import (
    Case,
    ConsistencyPass,
    Domain,
    GroundTruthRevision,
    LedgerHead,
    Membership,
    ModelVersion,
    ReliabilitySnapshot,
    ScoreFile,
    Slide,
    Study,
    TrainingSet,
    WorkerStamp,
)
from annotation.selectors.dashboard import work
from annotation.states import AuditHalf, ModelState, Role, SlideState
from learning.query import Scores
from learning.query import scores as score_files
from tests import factories
from tests.benchmarks import bulk, database

REGIONS, SLIDES, ANNOTATORS = 1_000_000, 400, 20
EDGE_PX = 256
WORKED_SHARE = 0.017  # of the regions: 17,000 of a million have been in the queue
CODES = tuple("neutrophil lymphocyte monocyte eosinophil basophil blast platelet erythroblast".split())
MODELS, SNAPSHOTS, PASSES = 40, 30, 3


@dataclass(frozen=True)
class Million:
    """The study and who and what one asks for in it."""

    study: Study
    manager: Membership
    annotator: Membership
    adjudicator: Membership
    largest: Slide
    ordinary: Slide


def fill(*, regions: int = REGIONS, slides: int = SLIDES) -> Million:
    """Write the study into the empty database that both connections are at."""
    generator = random.Random(0)
    study = factories.study(slug="million", name="A million regions", codes=CODES, domains=["lab", "scanner", "stain"])
    people = _add_people(study)
    _add_slides(study, regions=regions, slides=slides, generator=generator)
    _add_passes(study, people[Role.MANAGER][0])
    worked = max(60, round(regions * WORKED_SHARE))
    bulk.fill(
        connections["owner"],
        study=study.pk,
        protocol=study.current_protocol.pk,
        codes=list(CODES),
        edge=EDGE_PX,
        regions=regions,
        worked=worked,
        annotators=ANNOTATORS,
        adjudicator=people[Role.ADJUDICATOR][0].pk,
        manager=people[Role.MANAGER][0].pk,
    )
    _add_models(study, generator)
    _add_snapshots(study, generator)
    by_size = list(Slide.objects.filter(study=study, case__audit_half="").order_by("-region_count"))
    return Million(
        study=study,
        manager=people[Role.MANAGER][0],
        annotator=people[Role.ANNOTATOR][1],
        adjudicator=people[Role.ADJUDICATOR][0],
        largest=by_size[0],
        ordinary=by_size[-1],
    )


def open_database(name: str) -> Million:
    """The study in the database of that name, made and filled where there is none."""
    if not database.prepare(name):
        return find()
    made = fill()
    bulk.tidy(connections["owner"])
    return made


def find() -> Million:
    """The study that an earlier run has filled."""
    study = Study.objects.get(slug="million")
    by_role = {
        role: list(Membership.objects.filter(study=study, role=role).select_related("user").order_by("pk"))
        for role in Role
    }
    by_size = list(Slide.objects.filter(study=study, case__audit_half="").order_by("-region_count"))
    return Million(
        study=study,
        manager=by_role[Role.MANAGER][0],
        annotator=by_role[Role.ANNOTATOR][1],
        adjudicator=by_role[Role.ADJUDICATOR][0],
        largest=by_size[0],
        ordinary=by_size[-1],
    )


def _add_people(study: Study) -> dict[str, list[Membership]]:
    wanted = {Role.ANNOTATOR: ANNOTATORS, Role.ADJUDICATOR: 3, Role.MANAGER: 2}
    users = get_user_model().objects
    people = {
        role: [
            Membership.objects.create(study=study, user=users.create_user(f"{role}-{place}"), role=role)
            for place in range(count)
        ]
        for role, count in wanted.items()
    }
    LedgerHead.objects.create(study=study, digest="0" * 64)
    now = timezone.now()
    for queue in work.QUEUES:
        WorkerStamp.objects.update_or_create(queue=queue, defaults={"seen_at": now})
    return people


def _add_slides(study: Study, *, regions: int, slides: int, generator: random.Random) -> None:
    sites = [("north", "A"), ("north", "B"), ("south", "A"), ("west", "C")]
    values = [{"lab": lab, "scanner": scanner, "stain": stain} for lab, scanner in sites for stain in ("MGG", "HE")]
    domains = Domain.objects.bulk_create(
        [Domain(study=study, name=" / ".join(one.values()), values=one) for one in values]
    )
    halves = {0: AuditHalf.GATE, 4: AuditHalf.REPORT}
    cases = Case.objects.bulk_create(
        [
            Case(study=study, code=study.opaque_id("case", place), audit_half=halves.get(place % 8, AuditHalf.NONE))
            for place in range(max(1, slides // 2))
        ]
    )
    # One is as large as slides get, ten are large, the rest share what is left.
    sizes = [regions // 20] + [regions // 200] * min(10, slides - 2)
    rest = slides - len(sizes)
    sizes += [(regions - sum(sizes)) // rest] * rest
    sizes[-1] += regions - sum(sizes)
    made = []
    for place, size in enumerate(sizes):
        columns = max(1, round((size * 1.6) ** 0.5))
        rows = -(-size // columns)
        checksum = f"{place:064x}"
        made.append(
            factories.SlideFactory.build(
                study=study,
                case=cases[(place + 1) % len(cases)],
                domain=generator.choice(domains),
                checksum=checksum,
                width=columns * EDGE_PX,
                height=rows * EDGE_PX,
                levels=[[columns * EDGE_PX, rows * EDGE_PX, 1.0]],
                size_bytes=size * 20_000,
                objective=40.0,
                tissue_share=0.6,
                tiling_digest=checksum,
                region_count=size,
                state=SlideState.TILED,
            )
        )
    Slide.objects.bulk_create(made)


def _add_passes(study: Study, manager: Membership) -> None:
    now = timezone.now()
    ConsistencyPass.objects.bulk_create(
        [
            ConsistencyPass(
                study=study,
                number=number,
                ledger_position=number * 100,
                ledger_digest="0" * 64,
                numbers={"items": 1, "released": 1},
                started_by=manager,
                created_at=now - timedelta(days=7 * (PASSES - number)),
            )
            for number in range(1, PASSES + 1)
        ]
    )


def _add_models(study: Study, generator: random.Random) -> None:
    """Forty models, the last of them active, with score files of three sizes that slides share."""
    revisions = list(
        GroundTruthRevision.objects.filter(study=study, number=1).order_by("pk").values_list("pk", flat=True)
    )
    start, models = timezone.now() - timedelta(days=58), []
    for number in range(1, MODELS + 1):
        at = start + timedelta(days=1.4 * number)
        used = revisions[: len(revisions) * number // MODELS]
        training_set = TrainingSet.objects.create(
            study=study, digest=f"{number:064x}", revision_ids=used, protocol=study.current_protocol, created_at=at
        )
        quality = {"accuracy": 0.9 - 0.3 / number**0.5, "macro_f1": 0.88 - 0.4 / number**0.5, "nll": 0.4, "ece": 0.03}
        recall = {code: round(quality["macro_f1"] + generator.uniform(-0.1, 0.1), 3) for code in CODES}
        models.append(
            ModelVersion(
                study=study,
                number=number,
                digest=f"{number:064x}",
                state=ModelState.ACTIVE if number == MODELS else ModelState.RETIRED,
                training_set=training_set,
                configuration_digest="0" * 64,
                encoder="colour-texture",
                encoder_digest="0" * 64,
                class_codes=list(CODES),
                numbers={
                    "items": len(used),
                    "cases": 150,
                    "members": 5,
                    "out_of_fold": quality | {"recall": recall},
                    "gate": {"basis": "audit", "items": 300, "candidate": quality, "champion": quality},
                },
                gate_reasons=["Macro-F1 is no worse than that of the active model."],
                audit_looks=number,
                created_at=at,
                activated_at=at,
            )
        )
    ModelVersion.objects.bulk_create(models)
    _add_scores(study, models[-1])


def _add_scores(study: Study, model: ModelVersion) -> None:
    slides = list(Slide.objects.filter(study=study, case__audit_half=""))
    for size in {slide.region_count for slide in slides}:
        score_files.save(store.root() / _score_name(size), _draw_scores(size))
    ScoreFile.objects.bulk_create(
        [
            ScoreFile(model=model, slide=one, stored_name=_score_name(one.region_count), rows=one.region_count)
            for one in slides
        ]
    )


def _score_name(size: int) -> str:
    return f"scores/million-{size}.npz"


def _draw_scores(size: int) -> Scores:
    generator = np.random.default_rng(size)
    drawn: dict[str, Any] = {
        "margin": generator.random(size).astype(np.float16),
        "confidence": generator.random(size).astype(np.float16),
        "top1": generator.integers(0, len(CODES), size, dtype=np.uint8),
        "top2": generator.integers(0, len(CODES), size, dtype=np.uint8),
        "entropy": generator.random(size).astype(np.float16),
        "mutual_information": generator.random(size).astype(np.float16),
        "mean_entropy": generator.random(size).astype(np.float16),
    }
    return Scores(**drawn)


def _add_snapshots(study: Study, generator: random.Random) -> None:
    names = list(study.memberships.filter(role=Role.ANNOTATOR).values_list("pseudonym", flat=True))
    start, count = timezone.now() - timedelta(days=58), len(CODES)
    ReliabilitySnapshot.objects.bulk_create(
        [
            ReliabilitySnapshot(
                study=study,
                number=number,
                protocol=study.current_protocol,
                class_codes=list(CODES),
                prior=[1 / count] * count,
                confusion={name: _confusion(count, generator.uniform(0.75, 0.95)) for name in names},
                reliability={
                    name: {"mean": [0.85] * count, "low": [0.8] * count, "high": [0.9] * count, "answers": 60 * number}
                    for name in names
                },
                answers=1200 * number,
                created_at=start + timedelta(days=1.9 * number),
            )
            for number in range(1, SNAPSHOTS + 1)
        ]
    )


def _confusion(count: int, right: float) -> list[list[float]]:
    wrong = round((1 - right) / (count - 1), 4)
    return [[round(right, 4) if row == column else wrong for column in range(count)] for row in range(count)]
