"""Hands out the next region to a member: the live lease, a check, or the best open pick.

Decides the order of the queue; refuses to decide how many opinions a region needs.
"""

import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from annotation import clock, draws
from annotation.errors import BadInput, Refused, TryAgain
from annotation.models import Assignment, Membership, Pick, Study
from annotation.services import quality
from annotation.states import AssignmentKind, AssignmentState, PickState, Role, Stratum, StudyState

_TRIES = 8
_PAUSE_SECONDS = 0.05
_OPEN_STATES = (StudyState.RUNNING, StudyState.DRAINING)
_ANSWERED = (AssignmentState.LEASED, AssignmentState.SUBMITTED, AssignmentState.SKIPPED)


def claim(*, member: Membership, kind: str = "label") -> Assignment | None:
    """The member's live lease, or a new one of the best pick he or she may still answer; None when nothing is left.

    `kind` is "label" or "adjudicate". Refused without the role; TryAgain when everything was locked for a moment.
    """
    _check_role(member, kind)
    for attempt in range(_TRIES):
        with transaction.atomic():
            # One claim of a member at a time: two tabs get the same lease, not two.
            Membership.objects.select_for_update(no_key=True).get(pk=member.pk)
            found = _claim_once(member=member, kind=kind)
        if found is not None:
            return found
        if not _candidates(member=member, kind=kind).exists():
            return None
        time.sleep(_PAUSE_SECONDS * (attempt + 1))
    raise TryAgain("All open regions were taken at this moment. Ask again.")


def _check_role(member: Membership, kind: str) -> None:
    if not member.is_active:
        raise Refused("This membership is no longer active.")
    if kind == "adjudicate" and member.role != Role.ADJUDICATOR:
        raise Refused("Only adjudicators settle ties.")
    if kind == "label" and member.role == Role.MANAGER:
        raise Refused("Managers do not answer: add a membership as annotator for a second account.")
    if kind not in ("label", "adjudicate"):
        raise BadInput(f"Unknown kind of work '{kind}'; known are label and adjudicate.")


def _claim_once(*, member: Membership, kind: str) -> Assignment | None:
    now = clock.now()
    live = _live(member=member, kind=kind, now=now).first()
    if live is not None:
        return live
    study = Study.objects.get(pk=member.study_id)
    if study.state not in _OPEN_STATES:
        return None
    if kind == "label":
        checked = quality.next_check(study=study, member=member, now=now)
        if checked is not None:
            return checked
    candidates = _candidates(member=member, kind=kind).select_for_update(skip_locked=True, of=("self",), no_key=True)
    pick = candidates.select_related("region").first()
    if pick is None:
        return None
    taken = Pick.objects.filter(pk=pick.pk, slots_open__gt=0).update(slots_open=F("slots_open") - 1)
    if taken != 1:
        return None
    return Assignment.objects.create(
        study=study,
        region=pick.region,
        annotator=member,
        pick=pick,
        kind=_kind_of(pick),
        leased_at=now,
        expires_at=now + timedelta(minutes=study.policy.lease_minutes),
        suggestion=_suggestion(study=study, member=member, pick=pick),
    )


def _live(*, member: Membership, kind: str, now: datetime) -> QuerySet[Assignment]:
    leases = Assignment.objects.filter(annotator=member, state=AssignmentState.LEASED, expires_at__gt=now)
    is_adjudication = Q(kind=AssignmentKind.ADJUDICATE)
    leases = leases.filter(is_adjudication) if kind == "adjudicate" else leases.exclude(is_adjudication)
    return leases.select_related("region", "pick").order_by("pk")


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
        .order_by("-has_begun", "batch_number", "rank")
    )


def _kind_of(pick: Pick) -> AssignmentKind:
    if pick.state == PickState.ADJUDICATION:
        return AssignmentKind.ADJUDICATE
    return AssignmentKind.RECHECK if pick.stratum == Stratum.RECHECK else AssignmentKind.LABEL


def _suggestion(*, study: Study, member: Membership, pick: Pick) -> str:
    policy = study.policy
    predicted = str(pick.parts.get("predicted", ""))
    if not (policy.show_suggestions and predicted) or pick.state != PickState.OPEN:
        return ""
    drawn = draws.uniform(study.seed, member.pseudonym, pick.region.public_id)
    return "" if drawn < policy.suggestion_control_share else predicted
