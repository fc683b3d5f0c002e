"""Hands out the next regions to a member: live leases, checks, and the best open picks; one or a batch.

Decides the order of the queue; refuses to decide how many opinions a region needs.
"""

import time
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from annotation import clock
from annotation.errors import BadInput, Refused, TryAgain
from annotation.models import Annotation, Assignment, Membership, Pick, Region, Study
from annotation.policy import LARGEST_BATCH, Policy
from annotation.services import acceptance, qualification, quality
from annotation.services.queue import suggesting
from annotation.states import SLOT_KINDS, AssignmentKind, AssignmentState, PickState, Role, Stratum, StudyState

_TRIES = 8
_PAUSE_SECONDS = 0.05
_OPEN_STATES = (StudyState.RUNNING, StudyState.DRAINING)
_SAMPLED = {"label": AssignmentKind.VERIFY, "adjudicate": AssignmentKind.ADJUDICATE}
"""What a region of an acceptance sample is leased as: without a pick, and told apart by that alone."""
_ANSWERED = (AssignmentState.LEASED, AssignmentState.SUBMITTED, AssignmentState.SKIPPED)


class _Overtaken(Exception):
    """A slot was gone when it was to be taken: everything is let go, and looked for again."""


def claim(*, member: Membership, kind: str = "label") -> Assignment | None:
    """The member's live lease, or a new one of the best pick he or she may still answer; None when nothing is left.

    `kind` is "label" or "adjudicate". Refused without the role; TryAgain when everything was locked for a moment.
    """
    return next(iter(claim_batch(member=member, kind=kind, count=1)), None)


def claim_batch(*, member: Membership, kind: str = "label", count: int) -> list[Assignment]:
    """The member's oldest live leases, topped up to `count` by the rules of `claim`; fewer when no more are left.

    Nobody holds more than the study's `gallery_batch` this way. The queries are as many whatever the count.
    """
    _check_role(member, kind)
    if not 1 <= count <= LARGEST_BATCH:
        raise BadInput(f"A batch is 1 to {LARGEST_BATCH} regions, not {count}.")
    for attempt in range(_TRIES):
        with suppress(_Overtaken), transaction.atomic():
            # One claim of a member at a time: two tabs get the same leases, not twice as many.
            member.qualified_at = Membership.objects.select_for_update(no_key=True).get(pk=member.pk).qualified_at
            if _is_tested(member, kind):
                qualification.look(study=member.study, policy=member.study.policy, member=member)
            found = _top_up(member=member, kind=kind, count=count)
            if found:
                return found
        if _is_tested(member, kind) or not _candidates(member=member, kind=kind).exists():
            return []
        time.sleep(_PAUSE_SECONDS * (attempt + 1))
    raise TryAgain("All open regions were taken at this moment. Ask again.")


def is_anything_left(*, member: Membership, kind: str = "label") -> bool:
    """Whether a claim would find a pick for this person; checks come only beside picks or by chance."""
    if _is_tested(member, kind):
        study = Study.objects.select_related("protocol").get(pk=member.study_id)
        return bool(qualification.take(study=study, policy=study.policy, member=member, count=1))
    return _candidates(member=member, kind=kind).exists() or acceptance.count_left(member=member, kind=kind, most=1) > 0


def count_left(*, member: Membership, kind: str, most: int) -> int:
    """How many picks this person may still be given, counted up to `most`."""
    picks = _candidates(member=member, kind=kind).order_by()[:most].count()
    return picks + acceptance.count_left(member=member, kind=kind, most=most - picks)


def _check_role(member: Membership, kind: str) -> None:
    if not member.is_active:
        raise Refused("This membership is no longer active.")
    if kind == "adjudicate" and member.role != Role.ADJUDICATOR:
        raise Refused("Only adjudicators settle ties.")
    if kind == "label" and member.role == Role.MANAGER:
        raise Refused("Managers do not answer: add a membership as annotator for a second account.")
    if kind not in ("label", "adjudicate"):
        raise BadInput(f"Unknown kind of work '{kind}'; known are label and adjudicate.")


def _is_tested(member: Membership, kind: str) -> bool:
    """Whether the person has to pass the entry test before anything else is handed out."""
    return kind == "label" and qualification.is_due(policy=member.study.policy, member=member)


def _top_up(*, member: Membership, kind: str, count: int) -> list[Assignment]:
    now = clock.now()
    held = list(_live(member=member, kind=kind, now=now)[:count])
    for lease in held:
        lease.annotator = member
    if len(held) == count:
        return held
    study = Study.objects.select_related("protocol").get(pk=member.study_id)
    if study.state not in _OPEN_STATES:
        return held
    policy = study.policy
    wanted = min(count, policy.gallery_batch) - len(held)
    return held + _take(study=study, policy=policy, member=member, kind=kind, wanted=wanted, now=now)


def _take(
    *, study: Study, policy: Policy, member: Membership, kind: str, wanted: int, now: datetime
) -> list[Assignment]:
    """New leases of checks and picks, at most `wanted`, written at once."""
    if wanted <= 0:
        return []
    checks: list[quality.Check] = []
    if kind == "label" and qualification.is_due(policy=policy, member=member):
        tests = qualification.take(study=study, policy=policy, member=member, count=wanted)
        wanted, checks = len(tests), [(region, AssignmentKind.QUALIFY) for region in tests]
    elif kind == "label":
        checks = quality.next_checks(study=study, policy=policy, member=member, count=wanted)
    busy = [region.pk for region, _ in checks]
    sample = acceptance.find_open(study)
    sampled = acceptance.take(sample, member=member, kind=kind, count=wanted - len(checks), busy=busy, by_chance=True)
    busy += [region.pk for region in sampled]
    returned, others = _take_slots(member=member, kind=kind, wanted=wanted - len(busy), busy=busy)
    busy += [pick.region_id for pick in returned + others]
    sampled += acceptance.take(sample, member=member, kind=kind, count=wanted - len(busy), busy=busy, by_chance=False)
    until = now + timedelta(minutes=policy.lease_minutes)

    def lease(region: Region, **fields: Any) -> Assignment:
        return Assignment(study=study, region=region, annotator=member, leased_at=now, expires_at=until, **fields)

    leases = [lease(region, kind=check) for region, check in checks]
    leases += [lease(region, kind=_SAMPLED[kind]) for region in sampled]
    leases += [lease(pick.region, pick=pick, kind=_kind_of(pick)) for pick in returned + others]
    suggesting.suggest(leases, study=study, policy=policy, member=member)
    # What was sent back to this member first, as its note says so anyway; else in the order of opaque ids: the order of
    # the queue would tell which regions others have begun.
    first = {pick.pk for pick in returned}
    leases.sort(key=lambda row: (row.pick_id not in first, row.region.public_id))
    return Assignment.objects.bulk_create(leases)


def _take_slots(*, member: Membership, kind: str, wanted: int, busy: list[int]) -> tuple[list[Pick], list[Pick]]:
    """The picks sent back to the member and the best others, a slot of each taken; _Overtaken where one was gone."""
    if wanted <= 0:
        return [], []
    candidates = _candidates(member=member, kind=kind).select_for_update(skip_locked=True, of=("self",), no_key=True)
    candidates = candidates.select_related("region__slide")
    if busy:
        candidates = candidates.exclude(region__in=busy)
    returned = list(_sent_back_to(member, candidates)[:wanted]) if kind == "label" else []
    others: list[Pick] = []
    if len(returned) < wanted:
        rest = candidates.exclude(pk__in=[pick.pk for pick in returned]) if returned else candidates
        others = list(rest[: wanted - len(returned)])
    ids = [pick.pk for pick in returned + others]
    taken = Pick.objects.filter(pk__in=ids, slots_open__gt=0).update(slots_open=F("slots_open") - 1) if ids else 0
    if taken != len(ids):
        raise _Overtaken
    return returned, others


def _sent_back_to(member: Membership, candidates: QuerySet[Pick]) -> QuerySet[Pick]:
    """What a manager sent back with a note, among the regions this member has answered: these come first."""
    own = Annotation.objects.filter(region=OuterRef("region"), annotator=member, assignment_kind__in=SLOT_KINDS)
    return candidates.exclude(note="").filter(Exists(own)).order_by("-id")


def _live(*, member: Membership, kind: str, now: datetime) -> QuerySet[Assignment]:
    leases = Assignment.objects.filter(annotator=member, state=AssignmentState.LEASED, expires_at__gt=now)
    is_adjudication = Q(kind=AssignmentKind.ADJUDICATE)
    leases = leases.filter(is_adjudication) if kind == "adjudicate" else leases.exclude(is_adjudication)
    return leases.select_related("region__slide", "pick", "study__protocol").order_by("pk")


def _candidates(*, member: Membership, kind: str) -> QuerySet[Pick]:
    """Picks with an open slot that this member has neither answered nor refused, best first."""
    if not Study.objects.filter(pk=member.study_id, state__in=_OPEN_STATES).exists():
        return Pick.objects.none()
    same_region = Assignment.objects.filter(region=OuterRef("region"), annotator=member, state__in=_ANSWERED)
    if kind == "adjudicate":
        ties = Pick.objects.filter(study=member.study_id, state=PickState.ADJUDICATION, slots_open__gt=0)
        return ties.filter(~Exists(same_region)).order_by("batch_number", "rank")
    # A recheck asks people again, unless they hold the region; everything else asks each person once per region.
    held = same_region.filter(state=AssignmentState.LEASED)
    same_pick = Assignment.objects.filter(pick=OuterRef("pk"), annotator=member, state__in=_ANSWERED)
    return (
        Pick.objects.filter(study=member.study_id, state=PickState.OPEN, slots_open__gt=0)
        .filter(~Exists(same_pick))
        .filter(Q(stratum=Stratum.RECHECK) & ~Exists(held) | ~Exists(same_region))
        .order_by("is_deferred", "-has_begun", "batch_number", "rank")
    )


def _kind_of(pick: Pick) -> AssignmentKind:
    if pick.state == PickState.ADJUDICATION:
        return AssignmentKind.ADJUDICATE
    return AssignmentKind.RECHECK if pick.stratum == Stratum.RECHECK else AssignmentKind.LABEL
