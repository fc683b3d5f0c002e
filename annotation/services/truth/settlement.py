"""What follows from an answer: settle the region, ask one more, wait, or call an adjudicator.

Decides inside the transaction of a submit, with the pick locked; refuses to hand out work (`services.queue`).
"""

from datetime import datetime

import numpy as np

from annotation import mapping
from annotation.errors import BadInput
from annotation.models import Annotation, GroundTruthRevision, Membership, Pick, Region
from annotation.policy import Policy
from annotation.services.truth.belief import Belief, Opinion, believe, effective
from annotation.services.truth.revisions import revise
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
from learning.consensus import firmness, settlement
from learning.consensus.hierarchy import families_of


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
        return _close(pick=pick, belief=belief, label=decision.label, decision=decision, at=at)
    # "Wait" although everybody asked has answered: an answer no longer counts, so somebody else is asked.
    if decision.kind is not settlement.Kind.ADJUDICATE and pick.slots_granted < pick.overlap:
        if decision.is_check and decision.label is not None and not pick.early_label:
            pick.early_label = belief.codes[decision.label]
            pick.early_answers = len(belief.opinions)
        pick.slots_open += 1
        pick.slots_granted += 1
        pick.save(update_fields=["slots_open", "slots_granted", "early_label", "early_answers"])
        return None
    escalate(pick=pick)
    return None


def settle_anew(*, pick: Pick, actor: Membership, reason: str, at: datetime) -> GroundTruthRevision | None:
    """Settle a region on the opinions that are left after others were set aside; None where they do not suffice.

    `pick` is the region's last one, settled and locked. `actor` is who set them aside: a revision is written even
    where the label stays, as it rests on other answers now.
    """
    belief = believe(pick.region, study=pick.study)
    if not belief.opinions:
        return None
    decision = _decide(pick=pick, belief=belief, policy=pick.study.policy)
    if decision.kind is not settlement.Kind.SETTLE or decision.label is None:
        return None
    return _close(pick=pick, belief=belief, label=decision.label, decision=decision, at=at, actor=actor, why=reason)


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
    prior = belief.prior
    rare = np.ones(len(belief.codes), dtype=bool) if prior is None else prior < policy.rare_share
    # What a pick may still ask for is counted by its slots: a recheck grants more than the policy's overlap.
    still = pick.overlap - pick.slots_granted
    parents = pick.study.protocol.parents if pick.study.protocol else ()
    return settlement.decide(
        posterior=belief.posterior,
        answers=people,
        min_overlap=min(policy.min_overlap, pick.overlap),
        max_overlap=max(people + still, policy.min_overlap, 1),
        target=policy.target_confidence,
        rare=rare,
        firmness=_weigh(pick=pick, belief=belief, policy=policy),
        single_reliability=policy.single_reliability,
        planted_check=pick.is_planted_check,
        is_audit=pick.region.audit_half != AuditHalf.NONE,
        fixed_overlap=policy.fixed_overlap or None,
        doubted=_count_doubted(belief),
        families=families_of(parents) if parents else None,
    )


def _weigh(*, pick: Pick, belief: Belief, policy: Policy) -> float | None:
    """How firm the opinions are; None for a stranger's only one that no model agrees with.

    What a model expected counts both ways: it may make up for the shares of the classes, or ask for another look.
    """
    top = int(belief.posterior.argmax())
    if belief.likelihood is None:
        return float(belief.posterior[top])  # a majority knows no shares of the classes
    alone = firmness.of_answers(belief.likelihood, label=top)
    is_stranger = len(belief.opinions) == 1 and not belief.matrices
    expected = _expected(pick=pick, belief=belief, policy=policy)
    if expected is None:
        return None if is_stranger else alone
    chance = float(pick.parts["top"])
    beside = firmness.beside_model(belief.likelihood, label=top, expected=expected, chance=chance)
    return max(alone, beside) if expected == top else None if is_stranger else min(alone, beside)


def _expected(*, pick: Pick, belief: Belief, policy: Policy) -> int | None:
    """The class that a model expected when it chose the region; None where it has not looked, may not count, or has
    been seen by who answered."""
    if not policy.model_may_support or any(one.suggestion for one in belief.opinions):
        return None
    predicted = pick.parts.get("predicted", "")
    return belief.codes.index(predicted) if predicted in belief.codes else None


def _count_doubted(belief: Belief) -> int:
    """How many of those who answered have fallen off in their checks, as of the newest fit."""
    return sum(one.is_drifting for one in belief.matrices.values())


def _close(
    *,
    pick: Pick,
    belief: Belief,
    label: int,
    decision: settlement.Decision,
    at: datetime,
    actor: Membership | None = None,
    why: str = "",
) -> GroundTruthRevision | None:
    code = belief.codes[label]
    revision = revise(
        region=pick.region,
        study=pick.study,
        answer={"kind": AnswerKind.CLASS.value, "label": code},
        confidence=decision.confidence,
        posterior=dict(zip(belief.codes, belief.posterior.tolist(), strict=True)),
        method=Method.MAJORITY if pick.study.policy.consensus == "majority" else Method.DAWID_SKENE,
        evidence=belief.opinions,
        snapshot=belief.snapshot,
        actor=actor,
        reason=why or decision.reason,
        at=at,
    )
    _close_pick(pick, at)
    return revision


def _adjudicate(*, pick: Pick, annotation: Annotation, reason: str, at: datetime) -> GroundTruthRevision | None:
    belief = believe(pick.region, study=pick.study)
    today = mapping.exact_codes(pick.study)[annotation.protocol_id][annotation.label]
    word = Opinion(
        annotation_id=annotation.pk,
        number=annotation.number,
        pseudonym=annotation.annotator.pseudonym,
        label=today,
        suggestion=annotation.suggestion,
        is_flagged=annotation.is_flagged,
    )
    revision = revise(
        region=pick.region,
        study=pick.study,
        answer={**(annotation.answer or {}), "label": today},
        confidence=1.0,
        posterior=dict(zip(belief.codes, belief.posterior.tolist(), strict=True)),
        method=Method.ADJUDICATION,
        evidence=[word],
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
