"""Gold and repeats mixed into the queue, unmarked, at the study's rates.

Decides which of a member's next claims are checks instead of picks; refuses to know what comes of them.
A repeat takes no slot and is no second opinion; gold is no evidence for its own truth. A check that was given back
comes again like any other region: else leaving a page would tell which regions were checks, and be a way round them.
"""

from collections import Counter

from django.db.models import Exists, OuterRef, Q

from annotation import draws
from annotation.models import Annotation, Assignment, Gold, Membership, Region, ReliabilitySnapshot, Study
from annotation.policy import Policy
from annotation.selectors import gold as gold_reads
from annotation.states import SLOT_KINDS, AnswerKind, AssignmentKind, AssignmentState, RegionState

Check = tuple[Region, AssignmentKind]
LOOKED_BACK = 500
"""Among how many of a person's last leases those that were given back are looked for, and among how many of the own
answers a repeat is drawn."""
_CHECKS = (AssignmentKind.GOLD, AssignmentKind.REPEAT)
_GIVEN_BACK = (AssignmentState.RELEASED, AssignmentState.EXPIRED)


def next_checks(*, study: Study, policy: Policy, member: Membership, count: int) -> list[Check]:
    """The gold regions and own earlier ones that are due among the next `count` claims: mostly none.

    As many as claims one by one would draw; a fixed number of queries, however many claims.
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
    """Checks whose last lease was given back or ran out, oldest first; not what is gold no more."""
    last: dict[int, tuple[str, str]] = {}
    rows = Assignment.objects.filter(annotator=member).order_by("-id").values_list("region_id", "kind", "state")
    for region, kind, state in rows[:LOOKED_BACK]:
        last.setdefault(region, (kind, state))
    due = {
        region: AssignmentKind(kind)
        for region, (kind, state) in reversed(last.items())
        if kind in _CHECKS and state in _GIVEN_BACK
    }
    if AssignmentKind.GOLD in due.values():
        kept = set(Gold.objects.filter(region__in=due, retired_at=None).values_list("region_id", flat=True))
        due = {region: kind for region, kind in due.items() if kind != AssignmentKind.GOLD or region in kept}
    chosen = dict(list(due.items())[:wanted])
    found = Region.objects.select_related("slide").in_bulk(list(chosen)) if chosen else {}
    return [(found[region], kind) for region, kind in chosen.items()]


def _gold(study: Study, member: Membership, wanted: int) -> list[Region]:
    """Gold this person has not met, so that all he or she meets follows the shares of the classes in the study.

    A set with as much of a rare class as of a common one would be known by its rare classes. Where only such gold is
    left, less than the rate is asked.
    """
    if not wanted:
        return []
    met = Assignment.objects.filter(region=OuterRef("region"), annotator=member)
    rows = gold_reads.usable(study).filter(is_qualification=False).exclude(region__state=RegionState.EXCLUDED)
    rows = rows.annotate(was_met=Exists(met), was_checked=Exists(met.filter(kind=AssignmentKind.GOLD)))
    known = gold_reads.labelled(rows, study=study)
    fresh = {row.region.public_id: (row.region, label) for row, label in known if not row.was_met}  # type: ignore[attr-defined]
    chosen = draws.by_shares(
        {name: label for name, (_, label) in fresh.items()},
        shares=_shares(study),
        seen=Counter(label for row, label in known if row.was_checked),  # type: ignore[attr-defined]
        count=wanted,
        draw=lambda name: draws.uniform(study.seed, "gold", member.pseudonym, name),
    )
    return [fresh[name][0] for name in chosen]


def _shares(study: Study) -> dict[str, float]:
    """How often each class has come by, from the newest fit; empty before the first."""
    fits = ReliabilitySnapshot.objects.filter(study=study, protocol=study.protocol_id).order_by("-number")
    newest = fits.values_list("class_codes", "prior").first()
    return dict(zip(*newest, strict=True)) if newest else {}


def _repeats(study: Study, member: Membership, after: int, wanted: int) -> list[Region]:
    """Of the member's answers that lie `after` answers back and were not repeated yet, some drawn at random.

    Drawn from all alike, they follow the shares of the classes that the person answers.
    """
    if not wanted:
        return []
    answers = Annotation.objects.filter(study=study, annotator=member, assignment_kind__in=SLOT_KINDS)
    newest = answers.order_by("-id").values_list("id", flat=True)[after : after + 1]
    border = next(iter(newest), None)
    if border is None:
        return []
    asked = Q(kind=AssignmentKind.REPEAT) | Q(state=AssignmentState.LEASED)
    again = Assignment.objects.filter(asked, region=OuterRef("region"), annotator=member)
    taken_back = Annotation.objects.filter(parent=OuterRef("pk"), kind=AnswerKind.WITHDRAWN)
    rows = (
        answers.filter(id__lte=border)
        .exclude(kind=AnswerKind.WITHDRAWN)
        .filter(~Exists(again), ~Exists(taken_back))
        .select_related("region__slide")
        .order_by("-id")
    )
    # A recheck asks about a region once more: each region counts once.
    different = {row.region_id: row.region for row in rows[:LOOKED_BACK]}
    drawn = sorted(different.values(), key=lambda one: _place(study, member, one))
    return drawn[:wanted]


def _place(study: Study, member: Membership, region: Region) -> float:
    return draws.uniform(study.seed, "repeat", member.pseudonym, region.public_id)
