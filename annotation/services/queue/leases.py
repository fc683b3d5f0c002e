"""Leases: prolonged by input, given back, refused with a reason, or ended by the database's clock.

Decides when a slot goes back to its pick; refuses to look at answers.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from annotation import clock
from annotation.errors import BadInput, LeaseLost, Missing
from annotation.models import Assignment, Membership, Pick
from annotation.services import truth
from annotation.services.queue import drafts
from annotation.states import AssignmentKind, AssignmentState, PickState

_KEEPING = (AssignmentState.EXPIRED, AssignmentState.RELEASED)


@transaction.atomic
def renew(*, member: Membership, token: str) -> Assignment:
    """Prolong a live lease after real input; LeaseLost when it has ended."""
    assignment = lock(member=member, token=token)
    now = clock.now()
    if not is_live(assignment, now):
        raise lost()
    assignment.expires_at = now + timedelta(minutes=assignment.study.policy.lease_minutes)
    assignment.save(update_fields=["expires_at"])
    return assignment


@transaction.atomic
def release(*, member: Membership, token: str) -> None:
    """Give a region back unanswered; harmless when the lease has ended already."""
    assignment = lock(member=member, token=token)
    if assignment.state == AssignmentState.LEASED:
        end(assignment, state=AssignmentState.RELEASED, at=clock.now())


@transaction.atomic
def skip(*, member: Membership, token: str, reason: str) -> None:
    """Refuse a region for a reason; it goes back for others, and after enough skips to the adjudicators."""
    if not reason.strip():
        raise BadInput("Say why the region is skipped.")
    assignment = lock(member=member, token=token)
    now = clock.now()
    if not is_live(assignment, now):
        raise lost()
    assignment.skip_reason = reason.strip()[:200]
    assignment.save(update_fields=["skip_reason"])
    end(assignment, state=AssignmentState.SKIPPED, at=now)
    pick = assignment.pick
    if pick is None:
        return
    pick.refresh_from_db()
    pick.skips += 1
    pick.save(update_fields=["skips"])
    if pick.state == PickState.OPEN and pick.skips >= assignment.study.policy.max_skips:
        truth.escalate(pick=pick)


def expire(*, limit: int = 500) -> int:
    """End leases whose time is over by the database's clock and give their slots back; returns how many."""
    with transaction.atomic():
        now = clock.now()
        leases = (
            Assignment.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
            .filter(state=AssignmentState.LEASED, expires_at__lte=now)
            .order_by("expires_at", "pk")[:limit]
        )
        rows = list(leases)
        for assignment in rows:
            end(assignment, state=AssignmentState.EXPIRED, at=now)
    return len(rows)


def lock(*, member: Membership, token: str) -> Assignment:
    """The member's assignment of this token, locked; Missing for every other token."""
    assignment = (
        Assignment.objects.select_for_update(of=("self",), no_key=True)
        .select_related("study", "study__protocol", "region", "annotator", "pick")
        .filter(token=token, annotator=member)
        .first()
    )
    if assignment is None:
        raise Missing("There is no such assignment.")
    return assignment


def is_live(assignment: Assignment, now: datetime) -> bool:
    """Whether the lease may still be written with at `now`."""
    return assignment.state == AssignmentState.LEASED and assignment.expires_at > now


def end(assignment: Assignment, *, state: AssignmentState, at: datetime) -> None:
    """Close a lease; unless it was answered, its slot goes back to the pick it came from.

    What was being entered becomes a draft where the lease ended on its own or the region was given back.
    """
    if state in _KEEPING and assignment.entered:
        drafts.keep(assignment, content=assignment.entered)
    assignment.state = state
    assignment.closed_at = at
    # A comment is personal: it stays where its author can find it and where it can be erased, and nowhere else.
    assignment.entered = None
    assignment.save(update_fields=["state", "closed_at", "entered"])
    if state == AssignmentState.SUBMITTED or assignment.pick_id is None:
        return
    is_adjudication = assignment.kind == AssignmentKind.ADJUDICATE
    wanted = PickState.ADJUDICATION if is_adjudication else PickState.OPEN
    Pick.objects.filter(pk=assignment.pick_id, state=wanted).update(slots_open=F("slots_open") + 1)


def lost(more: str = "") -> LeaseLost:
    """The error for a lease that has ended."""
    return LeaseLost(f"The time for this region ran out, or it was given back.{more} Claim the next region.")
