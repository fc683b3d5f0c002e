"""Which regions of an open sample a member is asked next: unmarked, among all other work.

Decides who may answer what: never who decided the label, and who gave an opinion on it only where too few others are
left. Refuses to lease: the queue does that for whatever it hands out.
"""

from collections.abc import Collection

from django.db.models import BooleanField, Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from annotation import draws
from annotation.models import AcceptanceItem, AcceptanceSample, Assignment, Membership, Region, Study
from annotation.selectors import acceptance as reads
from annotation.states import AssignmentKind, AssignmentState, Role

SHARE = 0.5
"""Of a person's claims while a sample is open and other work waits; all of them where nothing else does."""
_HAD = (AssignmentState.LEASED, AssignmentState.SUBMITTED)
_REFUSED = (*_HAD, AssignmentState.SKIPPED)


def find_open(study: Study) -> AcceptanceSample | None:
    """The study's open sample, if its labels are in the classes that people are asked for today."""
    sample = reads.open_sample(study)
    is_current = sample is not None and reads.protocol_of(sample) == study.current_protocol.number
    return sample if is_current else None


def take(
    sample: AcceptanceSample | None,
    *,
    member: Membership,
    kind: str,
    count: int,
    busy: Collection[int],
    by_chance: bool,
) -> list[Region]:
    """Regions of `sample` for this member, a slot of each taken; none without a sample.

    `kind` is the queue's. `by_chance`: only the share of `count` claims that goes to a sample beside other work.
    Within the claim's transaction, in which the member is locked.
    """
    if sample is None or count <= 0:
        return []
    if by_chance and kind == "label":
        count = _by_chance(sample, member, count)
    rows = candidates(sample, member, kind=kind).exclude(region__in=busy)
    rows = rows.select_for_update(of=("self",), skip_locked=True, no_key=True)
    items = list(rows.select_related("region__slide")[:count]) if count else []
    AcceptanceItem.objects.filter(pk__in=[one.pk for one in items]).update(slots_open=F("slots_open") - 1)
    return [one.region for one in items]


def count_left(*, member: Membership, kind: str, most: int) -> int:
    """How many regions of an open sample this person may still be given, counted up to `most`."""
    sample = find_open(member.study) if most > 0 else None
    return candidates(sample, member, kind=kind).order_by()[:most].count() if sample else 0


def candidates(sample: AcceptanceSample, member: Membership, *, kind: str) -> QuerySet[AcceptanceItem]:
    """The items of a sample that this person may be given, best first."""
    return _to_decide(sample, member) if kind == "adjudicate" else _to_answer(sample, member)


def _by_chance(sample: AcceptanceSample, member: Membership, count: int) -> int:
    claims = Assignment.objects.filter(annotator=member).count()
    places = range(claims, claims + count)
    return sum(draws.uniform(sample.seed, "serve", member.pseudonym, place) < SHARE for place in places)


def _to_answer(sample: AcceptanceSample, member: Membership) -> QuerySet[AcceptanceItem]:
    """Items for a blind answer: of fresh eyes first, those first that the fewest answers are missing of.

    Who has answered the region in another way before sees it here only where fewer fresh people are left than slots.
    """
    if member.role != Role.ANNOTATOR:
        return AcceptanceItem.objects.none()
    had = Assignment.objects.filter(region=OuterRef("region"), annotator=member)
    asked = had.filter(leased_at__gte=sample.created_at, kind=AssignmentKind.VERIFY, state__in=_REFUSED)
    known = had.filter(state__in=_HAD)
    rows = _open(sample, member).filter(needs_adjudication=False).filter(~Exists(asked))
    rows = rows.filter(~Exists(had.filter(state=AssignmentState.LEASED)))
    rows = rows.annotate(
        is_known=Case(When(Exists(known), then=Value(True)), default=Value(False), output_field=BooleanField()),
        fresh=_count_fresh(sample),
    )
    return rows.filter(Q(is_known=False) | Q(fresh__lt=F("slots_open"))).order_by("is_known", "slots_open", "pk")


def _to_decide(sample: AcceptanceSample, member: Membership) -> QuerySet[AcceptanceItem]:
    """Items whose answers differ, from one another or from the label: for an adjudicator who never had the region."""
    had = Assignment.objects.filter(region=OuterRef("region"), annotator=member, state__in=_REFUSED)
    return _open(sample, member).filter(needs_adjudication=True).filter(~Exists(had)).order_by("pk")


def _open(sample: AcceptanceSample, member: Membership) -> QuerySet[AcceptanceItem]:
    rows = AcceptanceItem.objects.filter(sample=sample, closed_at=None, slots_open__gt=0)
    return rows.exclude(revision__actor=member)


def _count_fresh(sample: AcceptanceSample) -> Coalesce:
    """How many annotators have never had the region of an item."""
    had = Assignment.objects.filter(region=OuterRef(OuterRef("region")), annotator=OuterRef("pk"), state__in=_REFUSED)
    people = Membership.objects.filter(study=sample.study_id, role=Role.ANNOTATOR, is_active=True).filter(~Exists(had))
    counted = people.order_by().values("study").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted), 0)
