"""Leases: prolonged by input, given back, refused with a reason, or ended by the database's clock.

Decides when a slot goes back to its pick; refuses to look at answers.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from annotation import clock
from annotation.errors import BadInput, LeaseLost, Missing
from annotation.models import Assignment, Membership, Pick
from annotation.services import acceptance, truth
from annotation.services.queue import drafts
from annotation.states import AssignmentKind, AssignmentState, PickState

_KEEPING = (AssignmentState.EXPIRED, AssignmentState.RELEASED)


@dataclass(frozen=True, slots=True)
class Renewed:
    """Leases that were prolonged, until when, and those that had ended already."""

    leases: list[Assignment]
    lost: list[Assignment]
    expires_at: datetime


def renew(*, member: Membership, token: str) -> Assignment:
    """Prolong a live lease after real input; LeaseLost when it has ended."""
    done = renew_batch(member=member, tokens=[token])
    if done.lost:
        raise lost()
    return done.leases[0]


@transaction.atomic
def renew_batch(*, member: Membership, tokens: Sequence[str]) -> Renewed:
    """Prolong those of the leases that are live, all until the same moment."""
    rows = lock_batch(member=member, tokens=tokens)
    now = clock.now()
    until = now + timedelta(minutes=rows[0].study.policy.lease_minutes) if rows else now
    live = [row for row in rows if is_live(row, now)]
    for row in live:
        row.expires_at = until
    Assignment.objects.filter(pk__in=[row.pk for row in live]).update(expires_at=until)
    return Renewed(leases=live, lost=[row for row in rows if row not in live], expires_at=until)


def release(*, member: Membership, token: str) -> None:
    """Give a region back unanswered; harmless when the lease has ended already."""
    release_batch(member=member, tokens=[token])


@transaction.atomic
def release_batch(*, member: Membership, tokens: Sequence[str]) -> None:
    """Give regions back unanswered; those whose lease has ended already stay as they are."""
    held = [row for row in lock_batch(member=member, tokens=tokens) if row.state == AssignmentState.LEASED]
    end_batch(held, state=AssignmentState.RELEASED, at=clock.now())


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
        end_batch(rows, state=AssignmentState.EXPIRED, at=now)
    return len(rows)


def lock(*, member: Membership, token: str) -> Assignment:
    """The member's assignment of this token, locked; Missing for every other token."""
    return lock_batch(member=member, tokens=[token])[0]


def lock_batch(*, member: Membership, tokens: Sequence[str]) -> list[Assignment]:
    """The member's assignments of these tokens, locked, oldest first; Missing when one is not the member's."""
    rows = (
        Assignment.objects.select_for_update(of=("self",), no_key=True)
        .select_related("study", "study__protocol", "region", "annotator", "pick")
        .filter(token__in=tokens, annotator=member)
        .order_by("pk")
    )
    found = list(rows)
    if len(found) != len(set(tokens)):
        raise Missing("There is no such assignment.")
    return found


def is_live(assignment: Assignment, now: datetime) -> bool:
    """Whether the lease may still be written with at `now`."""
    return assignment.state == AssignmentState.LEASED and assignment.expires_at > now


def end(assignment: Assignment, *, state: AssignmentState, at: datetime) -> None:
    """Close one lease as `end_batch` does."""
    end_batch([assignment], state=state, at=at)


def end_batch(assignments: Sequence[Assignment], *, state: AssignmentState, at: datetime) -> None:
    """Close leases; unless they were answered, their slots go back to the picks they came from.

    What was being entered becomes a draft where the lease ended on its own or the region was given back.
    """
    for assignment in assignments:
        if state in _KEEPING and assignment.entered:
            drafts.keep(assignment, content=assignment.entered)
        assignment.state = state
        assignment.closed_at = at
        # A comment is personal: it stays where its author can find it and where it can be erased, and nowhere else.
        assignment.entered = None
    ids = [assignment.pk for assignment in assignments]
    Assignment.objects.filter(pk__in=ids).update(state=state, closed_at=at, entered=None)
    if state != AssignmentState.SUBMITTED:
        _give_back(assignments)
        acceptance.review(assignments=assignments, at=at)


def _give_back(assignments: Sequence[Assignment]) -> None:
    for wanted, is_adjudication in ((PickState.OPEN, False), (PickState.ADJUDICATION, True)):
        ids = [
            assignment.pick_id
            for assignment in assignments
            if assignment.pick_id and (assignment.kind == AssignmentKind.ADJUDICATE) == is_adjudication
        ]
        if not ids:
            continue
        # Several people may hold one pick: a slot comes back for each. Locked in order, so that nobody waits in a ring.
        held = Pick.objects.select_for_update(no_key=True).filter(pk__in=ids, state=wanted).order_by("pk")
        for times, picks in _by_count(ids, [pick.pk for pick in held]).items():
            Pick.objects.filter(pk__in=picks).update(slots_open=F("slots_open") + times)


def _by_count(ids: Sequence[int], locked: Sequence[int]) -> dict[int, list[int]]:
    """The locked picks by how many of the ended leases were theirs."""
    times = Counter(ids)
    found: dict[int, list[int]] = {}
    for pick in locked:
        found.setdefault(times[pick], []).append(pick)
    return found


def lost(more: str = "") -> LeaseLost:
    """The error for a lease that has ended."""
    return LeaseLost(f"The time for this region ran out, or it was given back.{more} Go on with the next region.")
