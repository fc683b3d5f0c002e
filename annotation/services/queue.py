"""The queue: claim, renew, release, skip, submit, undo, expire.

Decides who holds which region and for how long; refuses to know how regions are chosen (`picks`) and what their truth
is (`truth`). A lease is a hint; safety is the token, checked in the transaction of every write.
"""

import hashlib
import time
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from annotation import answers, canonical, clock
from annotation.errors import BadInput, Conflict, LeaseLost, Missing, Refused, TryAgain
from annotation.models import (
    Annotation,
    Assignment,
    Draft,
    GroundTruthRevision,
    Membership,
    PersonalText,
    Pick,
    Study,
    opaque,
)
from annotation.services import ledger, loop, quality, truth
from annotation.states import (
    SLOT_KINDS,
    AnswerKind,
    AssignmentKind,
    AssignmentState,
    Method,
    PickState,
    RegionState,
    Role,
    Stratum,
    StudyState,
)

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
    candidates = _candidates(member=member, kind=kind).select_for_update(skip_locked=True, of=("self",))
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
    # A recheck asks people again; everything else asks each person once per region.
    same_pick = Assignment.objects.filter(pick=OuterRef("pk"), annotator=member, state__in=_ANSWERED)
    return (
        Pick.objects.filter(study=member.study_id, state=PickState.OPEN, slots_open__gt=0)
        .filter(~Exists(same_pick))
        .filter(Q(stratum=Stratum.RECHECK) | ~Exists(same_region))
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
    text = f"{study.seed}:{member.pseudonym}:{pick.region.public_id}".encode()
    drawn = int.from_bytes(hashlib.sha256(text).digest()[:8], "big") / 2**64
    return "" if drawn < policy.suggestion_control_share else predicted


@transaction.atomic
def renew(*, member: Membership, token: str) -> Assignment:
    """Prolong a live lease after real input; LeaseLost when it has ended."""
    assignment = _lock(member=member, token=token)
    now = clock.now()
    if not _is_live(assignment, now):
        raise _lost()
    assignment.expires_at = now + timedelta(minutes=assignment.study.policy.lease_minutes)
    assignment.save(update_fields=["expires_at"])
    return assignment


@transaction.atomic
def release(*, member: Membership, token: str) -> None:
    """Give a region back unanswered; harmless when the lease has ended already."""
    assignment = _lock(member=member, token=token)
    if assignment.state == AssignmentState.LEASED:
        _end(assignment, state=AssignmentState.RELEASED, at=clock.now())


@transaction.atomic
def skip(*, member: Membership, token: str, reason: str) -> None:
    """Refuse a region for a reason; it goes back for others, and after enough skips to the adjudicators."""
    if not reason.strip():
        raise BadInput("Say why the region is skipped.")
    assignment = _lock(member=member, token=token)
    now = clock.now()
    if not _is_live(assignment, now):
        raise _lost()
    assignment.skip_reason = reason.strip()[:200]
    assignment.save(update_fields=["skip_reason"])
    _end(assignment, state=AssignmentState.SKIPPED, at=now)
    pick = assignment.pick
    if pick is None:
        return
    pick.refresh_from_db()
    pick.skips += 1
    pick.save(update_fields=["skips"])
    if pick.state == PickState.OPEN and pick.skips >= assignment.study.policy.max_skips:
        truth.escalate(pick=pick)


def submit(
    *,
    member: Membership,
    token: str,
    answer: dict[str, Any],
    idempotency_key: str,
    seconds: float | None = None,
    comment: str = "",
    flagged: bool = False,
) -> Annotation:
    """Write an answer once, decide over the region, and append to the ledger, all in one transaction.

    The same key returns the first answer. LeaseLost when the lease has ended: what was entered is kept as a draft.
    Conflict when the key was used for another answer; BadInput when the answer does not hold.
    """
    if not idempotency_key or len(idempotency_key) > 64:
        raise BadInput("An idempotency key has 1 to 64 characters.")
    with transaction.atomic():
        assignment = _lock(member=member, token=token)
        first = Annotation.objects.filter(annotator=member, idempotency_key=idempotency_key).first()
        if first is not None:
            if first.assignment_id != assignment.pk:
                raise Conflict("This idempotency key was used for another region.")
            return first
        form = answers.parse(answer, codes=truth.class_codes(assignment.study))
        if form["kind"] != AnswerKind.CLASS:
            raise BadInput("This study asks for one class per region.")
        now = clock.now()
        if not _is_live(assignment, now):
            _keep_draft(assignment, answer=form, comment=comment, seconds=seconds)
            row = None
        else:
            row = _write(
                assignment,
                answer=form,
                idempotency_key=idempotency_key,
                seconds=seconds,
                comment=comment,
                flagged=flagged,
                at=now,
            )
    if row is None:
        raise _lost(" What was entered is kept among the drafts.")
    transaction.on_commit(lambda: loop.nudge(study=assignment.study), robust=True)
    return row


def _write(
    assignment: Assignment,
    *,
    answer: dict[str, Any],
    idempotency_key: str,
    seconds: float | None,
    comment: str,
    flagged: bool,
    at: datetime,
) -> Annotation:
    earlier = _chain(assignment)
    salt = opaque.secret() if comment else ""
    row = Annotation.objects.create(
        study=assignment.study,
        region=assignment.region,
        annotator=assignment.annotator,
        number=_next_number(assignment),
        parent=earlier,
        assignment=assignment,
        assignment_kind=assignment.kind,
        protocol=assignment.study.protocol,
        kind=answer["kind"],
        answer=answer,
        label=answers.label_of(answer),
        seconds=seconds,
        is_flagged=flagged,
        suggestion=assignment.suggestion,
        comment_digest=hashlib.sha256(f"{salt}{comment}".encode()).hexdigest() if comment else "",
        idempotency_key=idempotency_key,
        created_at=at,
    )
    if comment:
        PersonalText.objects.create(annotation=row, salt=salt, text=comment)
    _end(assignment, state=AssignmentState.SUBMITTED, at=at)
    revision = None
    if assignment.pick_id:
        pick = _lock_pick(assignment)
        if assignment.kind in SLOT_KINDS and not pick.has_begun:
            pick.has_begun = True
            pick.save(update_fields=["has_begun"])
        revision = truth.settle(pick=pick, annotation=row, at=at)
    payload = {"annotation": row.content(), "revision": revision.content() if revision else None}
    ledger.append(study=assignment.study, kind="annotation", payload=payload, at=at)
    return row


def _chain(assignment: Assignment) -> Annotation | None:
    """The last row of this person's evidence on the region, which a new answer corrects; repeats and gold have none."""
    rows = Annotation.objects.filter(region=assignment.region_id, annotator=assignment.annotator_id)
    return rows.filter(assignment_kind__in=_chained(assignment.kind)).order_by("-number").first()


def _chained(kind: str) -> tuple[str, ...]:
    return tuple(SLOT_KINDS) if kind in SLOT_KINDS else (kind,) if kind == AssignmentKind.ADJUDICATE else ()


def _next_number(assignment: Assignment) -> int:
    rows = Annotation.objects.filter(region=assignment.region_id, annotator=assignment.annotator_id)
    newest = rows.order_by("-number").values_list("number", flat=True).first()
    return (newest or 0) + 1


def _lock_pick(assignment: Assignment) -> Pick:
    return (
        Pick.objects.select_for_update(of=("self",))
        .select_related("region", "region__current_revision", "study")
        .get(pk=assignment.pick_id)
    )


def undo(*, member: Membership, token: str, idempotency_key: str) -> Assignment:
    """Take back one's own answer within the study's minutes: a correction row, and a fresh lease of the region.

    The same key returns the same lease's region again. Conflict when it was undone or the minutes are over.
    """
    with transaction.atomic():
        assignment = _lock(member=member, token=token)
        done = Annotation.objects.filter(annotator=member, idempotency_key=idempotency_key).first()
        if done is not None:
            return _live_again(done)
        now = clock.now()
        original = assignment.annotations.exclude(kind=AnswerKind.WITHDRAWN).order_by("-number").first()
        if assignment.state != AssignmentState.SUBMITTED or original is None:
            raise Conflict("There is no standing answer to take back.")
        minutes = assignment.study.policy.undo_minutes
        if original.created_at < now - timedelta(minutes=minutes):
            raise Conflict(f"An answer can be taken back for {minutes:g} minutes; these are over.")
        if Annotation.objects.filter(parent=original).exists():
            raise Conflict("This answer has been corrected already.")
        return _withdraw(assignment, original=original, idempotency_key=idempotency_key, at=now)


def _withdraw(assignment: Assignment, *, original: Annotation, idempotency_key: str, at: datetime) -> Assignment:
    row = Annotation.objects.create(
        study=assignment.study,
        region=assignment.region,
        annotator=assignment.annotator,
        number=_next_number(assignment),
        parent=original,
        assignment=assignment,
        assignment_kind=assignment.kind,
        protocol=original.protocol,
        kind=AnswerKind.WITHDRAWN,
        answer=None,
        idempotency_key=idempotency_key,
        created_at=at,
    )
    assignment.state = AssignmentState.WITHDRAWN
    assignment.save(update_fields=["state"])
    revision = _reopen_pick(assignment, original=original, at=at) if assignment.pick_id else None
    fresh = Assignment.objects.create(
        study=assignment.study,
        region=assignment.region,
        annotator=assignment.annotator,
        pick=assignment.pick,
        kind=assignment.kind,
        leased_at=at,
        expires_at=at + timedelta(minutes=assignment.study.policy.lease_minutes),
        suggestion=assignment.suggestion,
    )
    payload = {"annotation": row.content(), "revision": revision.content() if revision else None}
    ledger.append(study=assignment.study, kind="withdrawal", payload=payload, at=at)
    return fresh


def _reopen_pick(assignment: Assignment, *, original: Annotation, at: datetime) -> GroundTruthRevision | None:
    """Open pick and region again where they were settled on the answer taken back. The slot stays with its author."""
    pick = _lock_pick(assignment)
    is_adjudication = assignment.kind == AssignmentKind.ADJUDICATE
    if pick.state == PickState.OPEN:
        return None
    busy = Pick.objects.filter(region=pick.region_id, state__in=[PickState.OPEN, PickState.ADJUDICATION])
    if busy.exclude(pk=pick.pk).exists():
        return None
    adjudicator_at_work = pick.assignments.filter(state=AssignmentState.LEASED, kind=AssignmentKind.ADJUDICATE).exists()
    if pick.state == PickState.ADJUDICATION and (adjudicator_at_work or is_adjudication):
        return None
    current = pick.region.current_revision
    rests_on_it = current is not None and current.is_settled and original.pk in current.annotation_ids
    if pick.state == PickState.SETTLED and not rests_on_it:
        return None
    revision = None
    if rests_on_it:
        revision = truth.reopen(
            region=pick.region,
            study=assignment.study,
            reason="An answer it rested on was taken back.",
            method=Method.WITHDRAWAL,
            at=at,
        )
    pick.state = PickState.ADJUDICATION if is_adjudication else PickState.OPEN
    pick.slots_open = 0
    pick.closed_at = None
    pick.save(update_fields=["state", "slots_open", "closed_at"])
    state = RegionState.ADJUDICATION if is_adjudication else RegionState.QUEUED
    pick.region.state = state
    pick.region.save(update_fields=["state"])
    return revision


def _live_again(row: Annotation) -> Assignment:
    again = Assignment.objects.filter(
        region=row.region_id, annotator=row.annotator_id, pk__gt=row.assignment_id
    ).order_by("pk")
    found = again.first()
    if found is None:
        raise Conflict("This idempotency key was used for another answer.")
    return found


def expire(*, limit: int = 500) -> int:
    """End leases whose time is over by the database's clock and give their slots back; returns how many."""
    with transaction.atomic():
        now = clock.now()
        leases = (
            Assignment.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(state=AssignmentState.LEASED, expires_at__lte=now)
            .order_by("expires_at", "pk")[:limit]
        )
        rows = list(leases)
        for assignment in rows:
            _end(assignment, state=AssignmentState.EXPIRED, at=now)
    return len(rows)


def _lock(*, member: Membership, token: str) -> Assignment:
    assignment = (
        Assignment.objects.select_for_update(of=("self",))
        .select_related("study", "study__protocol", "region", "annotator", "pick")
        .filter(token=token, annotator=member)
        .first()
    )
    if assignment is None:
        raise Missing("There is no such assignment.")
    return assignment


def _is_live(assignment: Assignment, now: datetime) -> bool:
    return assignment.state == AssignmentState.LEASED and assignment.expires_at > now


def _end(assignment: Assignment, *, state: AssignmentState, at: datetime) -> None:
    """Close a lease; unless it was answered, its slot goes back to the pick it came from."""
    assignment.state = state
    assignment.closed_at = at
    assignment.save(update_fields=["state", "closed_at"])
    if state == AssignmentState.SUBMITTED or assignment.pick_id is None:
        return
    is_adjudication = assignment.kind == AssignmentKind.ADJUDICATE
    wanted = PickState.ADJUDICATION if is_adjudication else PickState.OPEN
    Pick.objects.filter(pk=assignment.pick_id, state=wanted).update(slots_open=F("slots_open") + 1)


def _keep_draft(assignment: Assignment, **content: Any) -> None:
    """Keep what came too late, once: a retry of the same submit adds no second draft."""
    if not any(canonical.dumps(draft.content) == canonical.dumps(content) for draft in assignment.drafts.all()):
        Draft.objects.create(assignment=assignment, content=content)


def _lost(more: str = "") -> LeaseLost:
    return LeaseLost(f"The time for this region ran out, or it was given back.{more} Claim the next region.")
