"""Puts regions into the queue and takes unclaimed ones out again.

Decides what a batch replaces and how many opinions a pick starts with; refuses to know how a region was chosen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from annotation import clock, draws
from annotation.models import (
    Assignment,
    Membership,
    ModelVersion,
    Pick,
    Region,
    SelectionBatch,
    Study,
)
from annotation.policy import Policy
from annotation.services import ledger, truth, worth
from annotation.states import (
    WITHDRAWABLE_STRATA,
    AssignmentState,
    AuditHalf,
    Method,
    PickState,
    RegionState,
    Role,
    Stratum,
    StudyState,
)
from learning.consensus import settlement


@dataclass(frozen=True, slots=True)
class PickSpec:
    """A chosen region with its reasons, before it is a row."""

    region_id: int
    rank: int
    stratum: Stratum
    score: float | None = None
    parts: dict[str, Any] = field(default_factory=dict)
    probability: float = 0.0
    reason: str = ""


@transaction.atomic
def queue_batch(
    *,
    study: Study,
    number: int,
    strategy: str,
    seed: int,
    specs: Sequence[PickSpec],
    model: ModelVersion | None = None,
    pool_size: int = 0,
    numbers: dict[str, Any] | None = None,
    weights: Mapping[str, float] | None = None,
) -> SelectionBatch:
    """Write batch `number` and withdraw the unclaimed ranked picks of older ones; the same number is written once.

    A region that left the pool since it was chosen is passed over. `weights` say what a right truth of a class is worth
    (1 where none is given), where the policy weighs another opinion against a new region.
    """
    study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    existing = SelectionBatch.objects.filter(study=study, number=number).first()
    if existing:
        return existing
    batch = SelectionBatch.objects.create(
        study=study,
        number=number,
        strategy=strategy,
        model=model,
        seed=seed,
        pool_size=pool_size,
        numbers=numbers or {},
        created_at=clock.now(),
    )
    if study.state != StudyState.RUNNING:
        return batch
    supersede(study=study, before=number)
    wanted = [spec.region_id for spec in specs]
    free = {
        region.pk: region
        for region in Region.objects.select_for_update(of=("self",), no_key=True).filter(
            pk__in=wanted, study=study, state=RegionState.POOL
        )
    }
    policy = study.policy
    rows = [
        build(study=study, policy=policy, batch=batch, region=free[spec.region_id], spec=spec)
        for spec in specs
        if spec.region_id in free
    ]
    _weigh(study=study, batch=batch, rows=rows, weights=weights or {})
    Pick.objects.bulk_create(rows, batch_size=500)
    Region.objects.filter(pk__in=free).update(state=RegionState.QUEUED)
    return batch


def _weigh(*, study: Study, batch: SelectionBatch, rows: list[Pick], weights: Mapping[str, float]) -> None:
    """Where the policy has it: the gains of new picks, the scale on their batch, and the places of what has begun."""
    scale = worth.weigh_new(study=study, picks=rows, weights=weights) if worth.is_weighed(study.policy) else None
    if scale is not None:
        batch.numbers = {**batch.numbers, "scale": scale.to_json()}
        batch.save(update_fields=["numbers"])
    worth.place_all(study=study, scale=scale)


def build(*, study: Study, policy: Policy, batch: SelectionBatch, region: Region, spec: PickSpec) -> Pick:
    """The pick of a chosen region, not yet written, with the opinions that the policy asks for at first."""
    slots = settlement.first_slots(
        min_overlap=policy.min_overlap,
        is_audit=region.audit_half != AuditHalf.NONE,
        fixed_overlap=policy.fixed_overlap or None,
    )
    return Pick(
        study=study,
        batch=batch,
        batch_number=batch.number,
        region=region,
        rank=spec.rank,
        stratum=spec.stratum,
        score=spec.score,
        parts=spec.parts,
        probability=spec.probability,
        reason=spec.reason,
        slots_open=slots,
        slots_granted=slots,
        overlap=slots if policy.fixed_overlap else max(policy.max_overlap, slots),
        is_planted_check=draws.uniform(study.seed, "check", region.public_id) < policy.planted_check_rate,
    )


def supersede(*, study: Study, before: int) -> int:
    """Withdraw ranked and cold-start picks of batches under `before` that nobody has claimed; returns how many.

    Random-share and audit picks stay: their probabilities must remain true.
    """
    unclaimed = withdrawable(study).filter(batch_number__lt=before)
    unclaimed = unclaimed.select_for_update(skip_locked=True, no_key=True)
    rows = list(unclaimed.values_list("pk", "region_id"))
    Pick.objects.filter(pk__in=[pk for pk, _ in rows]).update(
        state=PickState.SUPERSEDED, slots_open=0, closed_at=clock.now()
    )
    Region.objects.filter(pk__in=[region for _, region in rows]).update(state=RegionState.POOL)
    return len(rows)


def withdrawable(study: Study) -> QuerySet[Pick]:
    """Ranked and cold-start picks that nobody has claimed or refused: what the next batch takes back."""
    return Pick.objects.filter(
        study=study,
        state=PickState.OPEN,
        stratum__in=WITHDRAWABLE_STRATA,
        has_begun=False,
        skips=0,
        slots_open=F("slots_granted"),
    )


def open_count(study: Study) -> int:
    """Open picks that nobody has begun: what the watermark looks at."""
    return Pick.objects.filter(study=study, state=PickState.OPEN, has_begun=False, slots_open__gt=0).count()


@transaction.atomic
def recheck(
    *,
    study: Study,
    regions: Sequence[Region],
    reason: str,
    opinions: int = 2,
    note: str = "",
    actor: Membership | None = None,
) -> SelectionBatch | None:
    """Ask for `opinions` more answers on settled regions; they count as unsettled until then.

    A region that is already being asked about is left alone. `note` is shown to those who are asked; `actor` is who
    sends the regions back, where a person does.
    """
    study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    truth.lock_regions([region.pk for region in regions])
    live = Pick.objects.filter(region=OuterRef("pk"), state__in=truth.LIVE_PICKS)
    rows = list(
        Region.objects.filter(pk__in=[region.pk for region in regions], study=study)
        .select_related("current_revision")
        .filter(~Exists(live))
        .order_by("public_id")
    )
    if not rows:
        return None
    at = clock.now()
    batch = ask_again(study=study, regions=rows, reason=reason, opinions=opinions, note=note, at=at)
    revisions = [
        truth.reopen(region=region, study=study, reason=reason, method=Method.CONSISTENCY, at=at, actor=actor)
        for region in rows
    ]
    contents = [revision.content() for revision in revisions if revision]
    if contents:
        ledger.append(study=study, kind="recheck", payload={"rows": contents, "reason": reason}, at=at)
    return batch


def ask_again(
    *, study: Study, regions: Sequence[Region], reason: str, at: datetime, opinions: int = 2, note: str = ""
) -> SelectionBatch:
    """Queue regions for `opinions` more answers, in a batch of their own; what the truth says then is the caller's.

    The caller holds the study and the regions, none of which has a live pick.
    """
    batch = SelectionBatch.objects.create(
        study=study, number=next_number(study), strategy="recheck", seed=0, created_at=at, pool_size=len(regions)
    )
    Pick.objects.bulk_create(
        Pick(
            study=study,
            batch=batch,
            batch_number=batch.number,
            region=region,
            rank=rank,
            stratum=Stratum.RECHECK,
            reason=reason,
            note=note,
            slots_open=opinions,
            slots_granted=opinions,
            overlap=opinions + 1,
        )
        for rank, region in enumerate(regions)
    )
    Region.objects.filter(pk__in=[region.pk for region in regions]).update(state=RegionState.QUEUED)
    return batch


def next_number(study: Study) -> int:
    """The number the next batch gets."""
    newest = SelectionBatch.objects.filter(study=study).order_by("-number").first()
    return newest.number + 1 if newest else 1


@transaction.atomic
def close_pool(*, study: Study) -> int:
    """Withdraw every unclaimed ranked pick, for a study that is draining; returns how many."""
    return supersede(study=study, before=next_number(study))


@transaction.atomic
def escalate_stuck(*, study: Study) -> int:
    """Hand picks to the adjudicators for which no annotator is left who has not answered or refused."""
    annotators = list(
        Membership.objects.filter(study=study, is_active=True, role=Role.ANNOTATOR).values_list("pk", flat=True)
    )
    leased = Assignment.objects.filter(pick=OuterRef("pk"), state=AssignmentState.LEASED)
    candidates = (
        Pick.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
        .select_related("region", "study")
        .filter(study=study, state=PickState.OPEN, slots_open__gt=0)
        .filter(Q(has_begun=True) | Q(skips__gt=0))
        .filter(~Exists(leased))
    )
    count = 0
    for pick in candidates.order_by("pk"):
        done = Assignment.objects.filter(
            annotator__in=annotators, state__in=[AssignmentState.SUBMITTED, AssignmentState.SKIPPED]
        )
        done = done.filter(pick=pick) if pick.stratum == Stratum.RECHECK else done.filter(region=pick.region_id)
        if done.values("annotator").distinct().count() >= len(annotators):
            truth.escalate(pick=pick)
            count += 1
    return count
