"""From answers to ground truth: effective answers, the posterior of a region, settlement, revisions.

Decides a region's revision in the transaction of its last answer; refuses to hand out work (`queue`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db import transaction

from annotation import answers as answer_forms
from annotation import canonical, clock, mapping
from annotation.errors import BadInput
from annotation.models import (
    Annotation,
    GroundTruthRevision,
    Membership,
    Pick,
    Region,
    ReliabilitySnapshot,
    Study,
)
from annotation.policy import Policy
from annotation.services import ledger
from annotation.states import (
    SLOT_KINDS,
    AnswerKind,
    AssignmentKind,
    AssignmentState,
    AuditHalf,
    Method,
    PickState,
    RegionState,
)
from learning.consensus import dawid_skene, priors, reliability, settlement

LIVE_PICKS = (PickState.OPEN, PickState.ADJUDICATION)
EVIDENCE_KINDS = frozenset({*SLOT_KINDS, AssignmentKind.ADJUDICATE})


@dataclass(frozen=True, slots=True)
class Opinion:
    """One person's answer that counts, under today's class codes."""

    annotation: Annotation
    pseudonym: str
    label: str


@dataclass(frozen=True, slots=True)
class Belief:
    """The posterior over `codes`, who it rests on, and the snapshot it was computed with."""

    codes: list[str]
    posterior: np.ndarray
    opinions: list[Opinion]
    snapshot: ReliabilitySnapshot | None


def class_codes(study: Study) -> list[str]:
    """Codes of the current protocol in their order, special outcomes included."""
    return list(study.protocol.codes) if study.protocol else []


def effective(rows: Iterable[Annotation]) -> list[Annotation]:
    """The newest answer per region and person that was not taken back; repeats and gold are no evidence.

    `rows` must come in the order of writing.
    """
    newest: dict[tuple[int, int], Annotation] = {}
    for row in rows:
        if row.assignment_kind in EVIDENCE_KINDS:
            newest[row.region_id, row.annotator_id] = row
    return [row for row in newest.values() if row.kind != AnswerKind.WITHDRAWN]


def opinions_on(region: Region, *, study: Study) -> list[Opinion]:
    """Opinions (not adjudications) on one region that hold under today's protocol, ordered by pseudonym."""
    table = mapping.exact_codes(study)
    rows = Annotation.objects.filter(region=region).select_related("annotator").order_by("id")
    found = [
        Opinion(row, row.annotator.pseudonym, table.get(row.protocol_id, {}).get(row.label, ""))
        for row in effective(rows)
        if row.assignment_kind in SLOT_KINDS
    ]
    return sorted((one for one in found if one.label), key=lambda one: one.pseudonym)


def believe(region: Region, *, study: Study) -> Belief:
    """The posterior of one region from its opinions and the newest stored confusion matrices."""
    codes = class_codes(study)
    opinions = opinions_on(region, study=study)
    labels = np.array([codes.index(one.label) for one in opinions], dtype=np.int64)
    if study.policy.consensus == "majority":
        counts = np.bincount(labels, minlength=len(codes)).astype(np.float64)
        return Belief(codes, counts / max(counts.sum(), 1.0), opinions, None)
    snapshot = latest_snapshot(study)
    confusion, prior = _matrices(snapshot, codes, [one.pseudonym for one in opinions])
    posterior = dawid_skene.posterior_of(labels=labels, confusion=confusion, prior=prior)
    return Belief(codes, posterior, opinions, snapshot)


def latest_snapshot(study: Study) -> ReliabilitySnapshot | None:
    """The newest confusion matrices that know today's classes."""
    snapshots = ReliabilitySnapshot.objects.filter(study=study, protocol=study.protocol_id)
    return snapshots.order_by("-number").first()


def _matrices(
    snapshot: ReliabilitySnapshot | None, codes: list[str], pseudonyms: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    unknown = priors.default_confusion(len(codes))
    if snapshot is None or snapshot.class_codes != codes:
        prior = np.full(len(codes), 1.0 / len(codes))
        return np.tile(unknown, (len(pseudonyms), 1, 1)), prior
    known = snapshot.confusion
    rows = [np.asarray(known[name]) if name in known else unknown for name in pseudonyms]
    stacked = np.stack(rows) if rows else np.empty((0, len(codes), len(codes)))
    return stacked, np.asarray(snapshot.prior)


def settle(*, pick: Pick, annotation: Annotation, reason: str, at: datetime) -> GroundTruthRevision | None:
    """Decide over a region after `annotation`: settle it, open a slot, wait, or call an adjudicator.

    Runs in the submit's transaction with `pick` locked. Returns the revision if the truth changed.
    """
    if annotation.assignment_kind == AssignmentKind.ADJUDICATE:
        if pick.state != PickState.ADJUDICATION:
            return None  # somebody decided meanwhile, or the region is being asked again
        return _adjudicate(pick=pick, annotation=annotation, reason=reason, at=at)
    if pick.state != PickState.OPEN:
        return None  # a late or corrected answer beside an adjudicator: kept, and seen by the next pass
    if annotation.kind != AnswerKind.CLASS:
        raise BadInput("This study asks for one class per region.")
    if pick.slots_granted > _answered(pick):
        return None  # others were asked as well, and may be at work: a recheck wants all of them
    study = pick.study
    belief = believe(pick.region, study=study)
    decision = _decide(pick=pick, belief=belief, policy=study.policy)
    if decision.kind is settlement.Kind.SETTLE and decision.label is not None:
        return _close(pick=pick, belief=belief, label=decision.label, reason=decision.reason, at=at)
    # "Wait" although everybody asked has answered: an answer no longer counts, so somebody else is asked.
    if decision.kind is not settlement.Kind.ADJUDICATE and pick.slots_granted < pick.overlap:
        if decision.is_check and decision.label is not None:
            pick.early_label = belief.codes[decision.label]
        pick.slots_open += 1
        pick.slots_granted += 1
        pick.save(update_fields=["slots_open", "slots_granted", "early_label"])
        return None
    escalate(pick=pick)
    return None


def escalate(*, pick: Pick) -> None:
    """Hand a pick to the adjudicators."""
    pick.state = PickState.ADJUDICATION
    pick.slots_open = 1
    pick.save(update_fields=["state", "slots_open"])
    Region.objects.filter(pk=pick.region_id).update(state=RegionState.ADJUDICATION)


def _answered(pick: Pick) -> int:
    """How many people have a standing opinion from this pick."""
    rows = Annotation.objects.filter(region=pick.region_id, assignment__pick=pick).order_by("id")
    return sum(row.assignment_kind in SLOT_KINDS for row in effective(rows))


def count_unused(*, pick: Pick) -> int:
    """How many of the opinions a pick has asked for are neither given nor under way."""
    held = pick.assignments.filter(state=AssignmentState.LEASED, kind__in=SLOT_KINDS).count()
    return pick.slots_granted - held - _answered(pick)


def _decide(*, pick: Pick, belief: Belief, policy: Policy) -> settlement.Decision:
    people = len(belief.opinions)
    single = None
    if people == 1 and belief.snapshot is not None and belief.snapshot.class_codes == belief.codes:
        pseudonym = belief.opinions[0].pseudonym
        if pseudonym in belief.snapshot.confusion:
            confusion = np.asarray(belief.snapshot.confusion[pseudonym])
            worth = reliability.reliability_of(confusion=confusion, prior=np.asarray(belief.snapshot.prior))
            single = float(worth[belief.posterior.argmax()])
    rare = np.ones(len(belief.codes), dtype=bool)
    if belief.snapshot is not None and belief.snapshot.class_codes == belief.codes:
        rare = np.asarray(belief.snapshot.prior) < policy.rare_share
    # What a pick may still ask for is counted by its slots: a recheck grants more than the policy's overlap.
    still = pick.overlap - pick.slots_granted
    return settlement.decide(
        posterior=belief.posterior,
        answers=people,
        min_overlap=min(policy.min_overlap, pick.overlap),
        max_overlap=max(people + still, policy.min_overlap, 1),
        target=policy.target_confidence,
        rare=rare,
        single_reliability=single,
        single_reliability_target=policy.single_reliability,
        model_agrees=_model_agrees(pick=pick, belief=belief, policy=policy),
        planted_check=pick.is_planted_check and not pick.early_label,
        is_audit=pick.region.audit_half != AuditHalf.NONE,
        fixed_overlap=policy.fixed_overlap or None,
    )


def _model_agrees(*, pick: Pick, belief: Belief, policy: Policy) -> bool | None:
    if not policy.model_may_support or any(one.annotation.suggestion for one in belief.opinions):
        return None
    top = belief.codes[int(belief.posterior.argmax())]
    return bool(pick.parts.get("predicted") == top and pick.parts.get("top", 0.0) >= policy.target_confidence)


def _close(*, pick: Pick, belief: Belief, label: int, reason: str, at: datetime) -> GroundTruthRevision | None:
    code = belief.codes[label]
    revision = revise(
        region=pick.region,
        study=pick.study,
        answer={"kind": AnswerKind.CLASS.value, "label": code},
        confidence=float(belief.posterior[label]),
        posterior=dict(zip(belief.codes, belief.posterior.tolist(), strict=True)),
        method=Method.MAJORITY if pick.study.policy.consensus == "majority" else Method.DAWID_SKENE,
        evidence=[one.annotation for one in belief.opinions],
        snapshot=belief.snapshot,
        actor=None,
        reason=reason,
        at=at,
    )
    _close_pick(pick, at)
    return revision


def _adjudicate(*, pick: Pick, annotation: Annotation, reason: str, at: datetime) -> GroundTruthRevision | None:
    belief = believe(pick.region, study=pick.study)
    revision = revise(
        region=pick.region,
        study=pick.study,
        answer=annotation.answer,
        confidence=1.0,
        posterior=dict(zip(belief.codes, belief.posterior.tolist(), strict=True)),
        method=Method.ADJUDICATION,
        evidence=[annotation],
        snapshot=belief.snapshot,
        actor=annotation.annotator,
        reason=reason,
        at=at,
    )
    _close_pick(pick, at)
    return revision


def _close_pick(pick: Pick, at: datetime) -> None:
    pick.state = PickState.SETTLED
    pick.slots_open = 0
    pick.closed_at = at
    pick.save(update_fields=["state", "slots_open", "closed_at"])
    Region.objects.filter(pk=pick.region_id).update(state=RegionState.SETTLED)


def reopen(
    *, region: Region, study: Study, reason: str, method: Method, at: datetime, actor: Membership | None = None
) -> GroundTruthRevision | None:
    """Write that a settled region is open again; nothing where it was not settled."""
    current = region.current_revision
    if current is None or not current.is_settled:
        return None
    return revise(
        region=region,
        study=study,
        answer=None,
        confidence=None,
        posterior={},
        method=method,
        evidence=[],
        snapshot=None,
        actor=actor,
        reason=reason,
        at=at,
        is_settled=False,
    )


def lock_regions(region_ids: Iterable[int]) -> None:
    """Lock regions with their live picks, picks first: the order in which a submit locks.

    Read what is decided upon afterwards: a row that was waited for has changed meanwhile.
    """
    wanted = list(region_ids)
    live = Pick.objects.filter(region__in=wanted, state__in=LIVE_PICKS)
    list(live.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    list(Region.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk").values_list("pk"))


def parse_answer(answer: Any, *, study: Study) -> dict[str, Any]:
    """The canonical form of an answer to this study's question; BadInput where it does not hold."""
    form = answer_forms.parse(answer, codes=class_codes(study))
    if form["kind"] != AnswerKind.CLASS:
        raise BadInput("This study asks for one class per region.")
    return form


@transaction.atomic
def decide(
    *,
    region: Region,
    member: Membership,
    answer: dict[str, Any] | None,
    reason: str,
    method: Method = Method.CONSISTENCY,
    exclude: bool = False,
) -> GroundTruthRevision:
    """A named person decides over a region, or leaves it out of the dataset (`exclude`), with a reason."""
    if not reason.strip():
        raise BadInput("A decision over the truth needs a reason.")
    if (answer is None) == (not exclude):
        raise BadInput("Give an answer, or exclude the region; not both and not neither.")
    study = Study.objects.get(pk=region.study_id)
    form = None if answer is None else parse_answer(answer, study=study)
    lock_regions([region.pk])
    region = Region.objects.select_related("current_revision").get(pk=region.pk)
    at = clock.now()
    revision = revise(
        region=region,
        study=study,
        answer=form,
        confidence=None if exclude else 1.0,
        posterior={},
        method=method,
        evidence=[],
        snapshot=None,
        actor=member,
        reason=reason,
        at=at,
        is_settled=not exclude,
        is_excluded=exclude,
    )
    assert revision is not None  # an actor's word is written even where it changes nothing
    close(region, is_excluded=exclude, at=at)
    ledger.append(study=study, kind="revision", payload={"revision": revision.content()}, at=at)
    return revision


def close(region: Region, *, is_excluded: bool, at: datetime) -> None:
    """End the work on a region over which a named person has decided."""
    live = Pick.objects.filter(region=region, state__in=LIVE_PICKS)
    live.update(state=PickState.SETTLED, slots_open=0, closed_at=at)
    state = RegionState.EXCLUDED if is_excluded else RegionState.SETTLED
    Region.objects.filter(pk=region.pk).update(state=state)


def revise(
    *,
    region: Region,
    study: Study,
    answer: dict[str, Any] | None,
    confidence: float | None,
    posterior: dict[str, float],
    method: Method,
    evidence: list[Annotation],
    snapshot: ReliabilitySnapshot | None,
    actor: Membership | None,
    reason: str,
    at: datetime,
    is_settled: bool = True,
    is_excluded: bool = False,
) -> GroundTruthRevision | None:
    """Write the next revision where label, settled state or protocol change, or a person has spoken; else nothing."""
    parent = region.current_revision
    unchanged = (
        parent is not None
        and actor is None
        and (parent.is_settled, parent.is_excluded, parent.answer, parent.protocol_id)
        == (is_settled, is_excluded, answer, study.protocol_id)
    )
    if unchanged:
        return None
    revision = GroundTruthRevision.objects.create(
        study=study,
        region=region,
        number=parent.number + 1 if parent else 1,
        parent=parent,
        is_settled=is_settled,
        is_excluded=is_excluded,
        answer=answer,
        label=answer_forms.label_of(answer),
        confidence=None if confidence is None else canonical.rounded(confidence),
        posterior={code: canonical.rounded(value) for code, value in posterior.items()},
        method=method,
        annotation_ids=[row.pk for row in evidence],
        evidence=[[row.annotator.pseudonym, row.number] for row in evidence],
        protocol=study.current_protocol,
        snapshot=snapshot,
        actor=actor,
        reason=reason,
        created_at=at,
    )
    Region.objects.filter(pk=region.pk).update(current_revision=revision)
    region.current_revision = revision
    return revision
