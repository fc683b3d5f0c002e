"""Gold and repeats mixed into the queue, unmarked, at the study's rates.

Decides which of a member's next claims are checks instead of picks; refuses to know what comes of them.
A repeat takes no slot and is no second opinion; gold is no evidence for its own truth. A check that was given back
comes again like any other region: else leaving a page would tell which regions were checks, and be a way round them.
"""

from django.db.models import Exists, OuterRef

from annotation import draws
from annotation.models import Annotation, Assignment, Membership, Region, Study
from annotation.policy import Policy
from annotation.states import SLOT_KINDS, AnswerKind, AssignmentKind, AssignmentState

Check = tuple[Region, AssignmentKind]
LOOKED_BACK = 500
"""Among how many of a person's last leases those that were given back are looked for."""
_CHECKS = (AssignmentKind.GOLD, AssignmentKind.REPEAT)
_GIVEN_BACK = (AssignmentState.RELEASED, AssignmentState.EXPIRED)


def next_checks(*, study: Study, policy: Policy, member: Membership, count: int) -> list[Check]:
    """The gold regions and own earlier ones that are due among the next `count` claims: mostly none.

    As many as claims one by one would draw; five queries at most, however many claims.
    """
    if not (policy.gold_rate or policy.repeat_rate):
        return []
    again = _given_back(member, wanted=count)
    claims = Assignment.objects.filter(annotator=member).count()
    places = range(len(again), count)
    drawn = [draws.uniform(study.seed, "quality", member.pseudonym, claims + place) for place in places]
    golds = sum(value < policy.gold_rate for value in drawn)
    repeats = sum(policy.gold_rate <= value < policy.gold_rate + policy.repeat_rate for value in drawn)
    return [
        *again,
        *((region, AssignmentKind.GOLD) for region in _gold(study, member, golds)),
        *((region, AssignmentKind.REPEAT) for region in _repeats(study, member, policy.repeat_after_answers, repeats)),
    ]


def _given_back(member: Membership, *, wanted: int) -> list[Check]:
    """Checks whose last lease was given back or ran out, oldest first."""
    last: dict[int, tuple[str, str]] = {}
    rows = Assignment.objects.filter(annotator=member).order_by("-id").values_list("region_id", "kind", "state")
    for region, kind, state in rows[:LOOKED_BACK]:
        last.setdefault(region, (kind, state))
    due = {
        region: AssignmentKind(kind)
        for region, (kind, state) in reversed(last.items())
        if kind in _CHECKS and state in _GIVEN_BACK
    }
    chosen = dict(list(due.items())[:wanted])
    found = Region.objects.select_related("slide").in_bulk(list(chosen)) if chosen else {}
    return [(found[region], kind) for region, kind in chosen.items()]


def _gold(study: Study, member: Membership, wanted: int) -> list[Region]:
    if not wanted:
        return []
    seen = Assignment.objects.filter(region=OuterRef("pk"), annotator=member)
    gold = Region.objects.filter(study=study, known_truth__is_gold=True).filter(~Exists(seen))
    return list(gold.select_related("slide").order_by("public_id")[:wanted])


def _repeats(study: Study, member: Membership, after: int, wanted: int) -> list[Region]:
    """The member's oldest answered regions that lie `after` answers back and were not repeated yet."""
    if not wanted:
        return []
    answers = Annotation.objects.filter(study=study, annotator=member, assignment_kind__in=SLOT_KINDS)
    newest = answers.order_by("-id").values_list("id", flat=True)[after : after + 1]
    border = next(iter(newest), None)
    if border is None:
        return []
    again = Assignment.objects.filter(region=OuterRef("region"), annotator=member, kind=AssignmentKind.REPEAT)
    held = Assignment.objects.filter(region=OuterRef("region"), annotator=member, state=AssignmentState.LEASED)
    taken_back = Annotation.objects.filter(parent=OuterRef("pk"), kind=AnswerKind.WITHDRAWN)
    rows = (
        answers.filter(id__lte=border)
        .exclude(kind=AnswerKind.WITHDRAWN)
        .filter(~Exists(again), ~Exists(taken_back), ~Exists(held))
        .select_related("region__slide")
        .order_by("id")
    )
    # A recheck asks about a region once more: twice as many rows as wanted hold enough different ones in practice.
    different = {row.region_id: row.region for row in rows[: 2 * wanted]}
    return list(different.values())[:wanted]
