"""The studies of one person with what there is to do in each: a fixed number of queries, however many studies.

Decides what each role may know of a study from afar; refuses to word it. An annotator gets nothing that others' answers
could change.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.db.models import Count, Max, QuerySet, Sum

from annotation import clock
from annotation.models import Annotation, Assignment, ConsistencyPass, Membership, Region, Release, Slide
from annotation.selectors import consistency, studies, unseen
from annotation.selectors.unseen import Unseen
from annotation.states import AnswerKind, AssignmentState, RegionState, Role


@dataclass(frozen=True, slots=True)
class Desk:
    """A study as its member finds it. `states` (regions that left the pool) and all below: for managers;
    `waiting` for an adjudicator's decision: for those who decide, too.
    """

    member: Membership
    answers_today: int = 0
    holds_lease: bool = False
    waiting: int = 0
    states: dict[str, int] = field(default_factory=dict)
    regions: int = 0
    last_pass: ConsistencyPass | None = None
    last_release: int | None = None
    unseen: list[Unseen] = field(default_factory=list)


def desks(user: AbstractUser | AnonymousUser) -> list[Desk]:
    """The person's studies by name."""
    members = list(studies.memberships(user).order_by("study__name", "study__slug"))
    own = [one.pk for one in members if one.role != Role.MANAGER]
    managed = [one.study_id for one in members if one.role == Role.MANAGER]
    decided = [one.study_id for one in members if one.role == Role.ADJUDICATOR]
    at = clock.now()
    answers, held = _count_answers(own, at=at), _find_leases(own, at=at)
    states = _count_states(managed, decided)
    strange = unseen.find(managed)
    regions, passes, released = _count_regions(managed), _last_passes(managed), _last_releases(managed)
    return [
        Desk(
            member=one,
            answers_today=answers.get(one.pk, 0),
            holds_lease=one.pk in held,
            waiting=states[one.study_id].get(RegionState.ADJUDICATION, 0),
            states=states[one.study_id] if one.role == Role.MANAGER else {},
            regions=regions.get(one.study_id, 0),
            last_pass=passes.get(one.study_id),
            last_release=released.get(one.study_id),
            unseen=strange.get(one.study_id, []),
        )
        for one in members
    ]


def _count_answers(members: list[int], *, at: datetime) -> dict[int, int]:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    rows = Annotation.objects.filter(annotator__in=members, created_at__gte=midnight, corrections__isnull=True)
    counted = rows.exclude(kind=AnswerKind.WITHDRAWN).order_by().values_list("annotator")
    return dict(counted.annotate(count=Count("pk")))


def _find_leases(members: list[int], *, at: datetime) -> set[int]:
    live = Assignment.objects.filter(annotator__in=members, state=AssignmentState.LEASED, expires_at__gt=at)
    return set(live.values_list("annotator_id", flat=True))


def _count_states(managed: list[int], decided: list[int]) -> dict[int, dict[str, int]]:
    """Study -> state -> regions; those never queued are not counted, and for adjudicators only what waits for them."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    worked = _by_state(Region.objects.filter(study__in=managed).exclude(state=RegionState.POOL))
    waits = _by_state(Region.objects.filter(study__in=decided, state=RegionState.ADJUDICATION))
    for study, state, count in worked.union(waits, all=True):
        found[study][state] = count
    return found


def _by_state(rows: QuerySet[Region]) -> QuerySet[Region, tuple[int, str, int]]:
    return rows.order_by().values_list("study", "state").annotate(count=Count("pk"))


def _count_regions(managed: list[int]) -> dict[int, int]:
    rows = Slide.objects.filter(study__in=managed).order_by().values_list("study")
    return dict(rows.annotate(count=Sum("region_count")))


def _last_passes(managed: list[int]) -> dict[int, ConsistencyPass]:
    newest = ConsistencyPass.objects.filter(study__in=managed).order_by("study_id", "-number").distinct("study_id")
    listed = ConsistencyPass.objects.filter(pk__in=newest.values("pk")).defer("numbers", "rules").order_by()
    rows = consistency.with_open_findings(listed).select_related("release")
    return {row.study_id: row for row in rows}


def _last_releases(managed: list[int]) -> dict[int, int]:
    rows = Release.objects.filter(study__in=managed).order_by().values_list("study")
    return dict(rows.annotate(newest=Max("number")))
