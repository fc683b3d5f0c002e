"""Gold and repeats mixed into the queue, unmarked, at the study's rates.

Decides when a claim is answered by a check instead of a pick; refuses to know what comes of it.
A repeat takes no slot and is no second opinion; gold is no evidence for its own truth.
"""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from annotation import draws
from annotation.models import Annotation, Assignment, Membership, Region, Study
from annotation.states import SLOT_KINDS, AnswerKind, AssignmentKind, AssignmentState


def next_check(*, study: Study, member: Membership, now: datetime) -> Assignment | None:
    """A lease of a gold region or of the member's own earlier one, or None: mostly none is due."""
    policy = study.policy
    if not (policy.gold_rate or policy.repeat_rate):
        return None
    claims = Assignment.objects.filter(annotator=member).count()
    drawn = draws.uniform(study.seed, "quality", member.pseudonym, claims)
    if drawn < policy.gold_rate:
        region, kind = _gold(study, member), AssignmentKind.GOLD
    elif drawn < policy.gold_rate + policy.repeat_rate:
        region, kind = _repeat(study, member, policy.repeat_after_answers), AssignmentKind.REPEAT
    else:
        return None
    if region is None:
        return None
    return Assignment.objects.create(
        study=study,
        region=region,
        annotator=member,
        kind=kind,
        leased_at=now,
        expires_at=now + timedelta(minutes=policy.lease_minutes),
    )


def _gold(study: Study, member: Membership) -> Region | None:
    seen = Assignment.objects.filter(region=OuterRef("pk"), annotator=member)
    gold = Region.objects.filter(study=study, known_truth__is_gold=True).filter(~Exists(seen))
    return gold.order_by("public_id").first()


def _repeat(study: Study, member: Membership, after: int) -> Region | None:
    """The member's oldest answered region that lies `after` answers back and was not repeated yet."""
    answers = Annotation.objects.filter(study=study, annotator=member, assignment_kind__in=SLOT_KINDS)
    newest = answers.order_by("-id").values_list("id", flat=True)[after : after + 1]
    border = next(iter(newest), None)
    if border is None:
        return None
    again = Assignment.objects.filter(region=OuterRef("region"), annotator=member, kind=AssignmentKind.REPEAT)
    held = Assignment.objects.filter(region=OuterRef("region"), annotator=member, state=AssignmentState.LEASED)
    taken_back = Annotation.objects.filter(parent=OuterRef("pk"), kind=AnswerKind.WITHDRAWN)
    row = (
        answers.filter(id__lte=border)
        .exclude(kind=AnswerKind.WITHDRAWN)
        .filter(~Exists(again), ~Exists(taken_back), ~Exists(held))
        .select_related("region")
        .order_by("id")
        .first()
    )
    return row.region if row else None
