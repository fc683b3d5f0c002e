"""What has to be seen again under the next version: settled regions and opinions whose class no longer holds.

Decides which regions, and in which order people are asked; refuses to write truths that go on by rule (`carrying`).
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count

from annotation import canonical, mapping
from annotation.models import Annotation, GroundTruthRevision, Pick, Protocol, Region, SelectionBatch, Study
from annotation.services import picks, truth
from annotation.services.protocols import carrying, mappings
from annotation.states import SLOT_KINDS, AuditHalf, MappingKind, Method, PickState, RegionState, Stratum
from learning.consensus import settlement

_HARDEST = 1.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A region that is asked again: the class it had or was given, and how sure that was."""

    region: Region
    label: str
    protocol_id: int
    doubt: float
    revision: GroundTruthRevision | None = None

    @property
    def is_audit(self) -> bool:
        return self.region.audit_half != AuditHalf.NONE


@dataclass(slots=True)
class Again:
    """All regions that are asked again, in the order of asking, and the picks that are withdrawn for it."""

    regions: list[Asked] = field(default_factory=list)
    withdrawn: list[Pick] = field(default_factory=list)


def find(study: Study, *, after: mapping.Codes) -> Again:
    """What `after` (see `mapping.with_next`) no longer has a class for: audit sample first, then the hardest."""
    rows = carrying.stale(study, after=after).select_related("region").defer("evidence", "annotation_ids")
    settled = [Asked(row.region, row.label, row.protocol_id, _doubt(row), row) for row in rows]
    begun, withdrawn = _find_begun(study, after)
    shares = Counter(one.label for one in settled)
    score = {one.region.pk: _score(one, shares) for one in settled}
    ordered = sorted(
        [*settled, *begun],
        key=lambda one: (not one.is_audit, -score.get(one.region.pk, _HARDEST), one.region.public_id),
    )
    return Again(ordered, withdrawn)


def _find_begun(study: Study, after: mapping.Codes) -> tuple[list[Asked], list[Pick]]:
    """Regions that collect opinions, some of which no longer hold: their authors may be asked again, too."""
    open_picks = {
        pick.region_id: pick
        for pick in Pick.objects.filter(study=study, state=PickState.OPEN, has_begun=True).select_related("region")
    }
    rows = Annotation.objects.filter(region__in=open_picks).order_by("id")
    rows = rows.only("region_id", "annotator_id", "kind", "assignment_kind", "label", "protocol_id")
    found: dict[int, Asked] = {}
    for row in truth.effective(rows):
        if row.assignment_kind in SLOT_KINDS and row.label not in after.get(row.protocol_id, {}):
            region = open_picks[row.region_id].region
            found.setdefault(row.region_id, Asked(region, row.label, row.protocol_id, _HARDEST))
    return list(found.values()), [open_picks[region] for region in found]


def _doubt(row: GroundTruthRevision) -> float:
    """How close the second class came: 0 where nobody doubted, 1 for a tie."""
    best = sorted([*row.posterior.values(), 0.0, 0.0], reverse=True)
    return 1.0 - (best[0] - best[1]) if row.posterior else 1.0 - (row.confidence or 0.0)


def _score(one: Asked, shares: Counter[str]) -> float:
    """Doubt x rarity: what is unsure and rare teaches most, and a sure and common region waits."""
    rarity = (min(shares.values()) / shares[one.label]) ** 0.5
    return canonical.rounded((0.1 + 0.9 * one.doubt) * rarity, 6)


def ask(study: Study, again: Again, *, draft: Protocol, at: datetime) -> tuple[SelectionBatch | None, list[dict]]:
    """Open the regions again and queue them; the batch, and what the ledger vouches for.

    What is queued by an older ranking and not begun goes back to the pool: these come first.
    """
    if not again.regions:
        return None, []
    number = picks.next_number(study)
    picks.supersede(study=study, before=number)
    taken_back = [pick.pk for pick in again.withdrawn]
    Pick.objects.filter(pk__in=taken_back).update(state=PickState.SUPERSEDED, slots_open=0, closed_at=at)
    batch = SelectionBatch.objects.create(
        study=study,
        number=number,
        strategy="recheck",
        seed=0,
        created_at=at,
        pool_size=len(again.regions),
        numbers={"protocol": draft.number, "audit": sum(one.is_audit for one in again.regions)},
    )
    says = Reasons(study, draft=draft)
    policy = study.policy
    specs = [_specify(one, rank, says.why(one)) for rank, one in enumerate(again.regions)]
    Pick.objects.bulk_create(
        [
            picks.build(study=study, policy=policy, batch=batch, region=one.region, spec=spec)
            for one, spec in zip(again.regions, specs, strict=True)
        ],
        batch_size=2000,
    )
    Region.objects.filter(picks__batch=batch).update(state=RegionState.QUEUED)
    opened = [_reopen(one, draft, says.why(one), at) for one in again.regions if one.revision is not None]
    return batch, truth.write_all(opened)


def count(study: Study, *, after: mapping.Codes) -> dict[str, int]:
    """What `find` would find, by the database alone: regions, those in the audit sample, and opinions at first."""
    rows = carrying.stale(study, after=after).values_list("region__audit_half").annotate(many=Count("pk")).order_by()
    begun, _ = _find_begun(study, after)
    total: Counter[bool] = Counter(one.is_audit for one in begun)
    for half, many in rows:
        total[half != AuditHalf.NONE] += many
    policy = study.policy
    opinions = sum(
        many
        * settlement.first_slots(
            min_overlap=policy.min_overlap, is_audit=is_audit, fixed_overlap=policy.fixed_overlap or None
        )
        for is_audit, many in total.items()
    )
    return {"regions": total.total(), "audit": total[True], "opinions": opinions, "begun": len(begun)}


def _specify(one: Asked, rank: int, reason: str) -> picks.PickSpec:
    parts: dict[str, Any] = {"was": one.label, "doubt": canonical.rounded(one.doubt, 6)}
    return picks.PickSpec(
        region_id=one.region.pk, rank=rank, stratum=Stratum.RECHECK, score=parts["doubt"], parts=parts, reason=reason
    )


def _reopen(one: Asked, draft: Protocol, reason: str, at: datetime) -> GroundTruthRevision:
    assert one.revision is not None
    return GroundTruthRevision(
        study_id=draft.study_id,
        region=one.region,
        number=one.revision.number + 1,
        parent=one.revision,
        is_settled=False,
        method=Method.MAPPING,
        protocol=draft,
        reason=reason,
        created_at=at,
    )


class Reasons:
    """Says in words why a region is seen again."""

    def __init__(self, study: Study, *, draft: Protocol) -> None:
        self._plans = {plan.source: plan for plan in mappings.read(draft)}
        self._today = mapping.exact_codes(study)
        self._number = draft.number

    def why(self, one: Asked) -> str:
        """One sentence."""
        plan = self._plans.get(self._today.get(one.protocol_id, {}).get(one.label, ""))
        if plan is None:
            return f"Protocol {self._number} has no class for '{one.label}', which had no successor before."
        if plan.kind == MappingKind.SPLIT:
            into = " and ".join(f"'{code}'" for code in plan.targets)
            return f"Protocol {self._number}: the class '{one.label}' was split into {into}."
        if plan.kind == MappingKind.REDEFINED:
            return f"Protocol {self._number}: the class '{one.label}' has a new definition."
        return f"Protocol {self._number}: the class '{one.label}' was retired, and no class takes its regions."
