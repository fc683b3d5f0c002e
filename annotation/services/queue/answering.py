"""Answers: written once, taken back by their author within minutes.

Decides what a submit and an undo write, in one transaction with the truth and the ledger entry, which comes last.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from annotation import answers, clock
from annotation.errors import BadInput, Conflict, LeaseLost
from annotation.models import (
    Annotation,
    Assignment,
    GroundTruthRevision,
    Membership,
    PersonalText,
    Pick,
    Protocol,
    opaque,
)
from annotation.services import acceptance, ledger, loop, qualification, truth, worth
from annotation.services.queue import drafts, leases, versions
from annotation.states import (
    SLOT_KINDS,
    AnswerKind,
    AssignmentKind,
    AssignmentState,
    Method,
    PickState,
    RegionState,
)


@versions.begins_anew
def submit(
    *,
    member: Membership,
    token: str,
    answer: dict[str, Any],
    idempotency_key: str,
    seconds: float | None = None,
    comment: str = "",
    flagged: bool = False,
    reason: str = "",
    protocol: int | None = None,
) -> Annotation:
    """Write an answer once, decide over the region, and append to the ledger, all in one transaction.

    An adjudication needs a `reason`: it stands in the revision and the ledger for good, unlike a comment, which can be
    erased. It is the answer's comment, too, where none was given: its author finds it among the own answers.
    The same key returns the first answer. LeaseLost when the lease has ended: what was entered is kept as a draft.
    Conflict when the key was used for another answer; BadInput when the answer does not hold.
    `protocol` is the version whose classes the author saw (none: the one in force when the region was leased). Where
    the study has another one since, the answer is recorded under the old one as long as its class goes on exactly, and
    else ClassesChanged: the lease stays, and what was entered is kept.
    """
    _check_key(idempotency_key)
    with transaction.atomic():
        assignment = leases.lock(member=member, token=token)
        first = Annotation.objects.filter(annotator=member, idempotency_key=idempotency_key).first()
        if first is not None:
            if first.assignment_id != assignment.pk or not _says_the_same(first, answer):
                raise Conflict("This idempotency key was used for another answer: send this one with a new key.")
            return first
        rules = versions.seen(assignment, protocol)
        form, holds = versions.parse(answer, study=assignment.study, rules=rules)
        reason = _check_reason(assignment, reason)
        comment = comment or reason
        now = clock.now()
        is_live = leases.is_live(assignment, now)
        if not (is_live and holds):
            entered = {"answer": form, "comment": comment, "flagged": flagged, "seconds": seconds}
            drafts.keep(assignment, content=entered)
            row = None
        else:
            row = _write(
                assignment,
                rules=rules,
                answer=form,
                idempotency_key=idempotency_key,
                seconds=seconds,
                comment=comment,
                flagged=flagged,
                reason=reason,
                at=now,
            )
    if row is None:
        raise versions.changed(assignment.study) if is_live else _too_late(assignment)
    transaction.on_commit(lambda: loop.nudge(study=assignment.study), robust=True)
    return row


def _too_late(assignment: Assignment) -> LeaseLost:
    if assignment.state == AssignmentState.SUBMITTED:
        return LeaseLost(
            "You have answered this region already, perhaps in another tab: that answer stands. "
            "What was entered here is kept among the drafts; take the answer back to give this one."
        )
    return leases.lost(" What was entered is kept among the drafts.")


def _draw_salt(assignment: Assignment, number: int) -> str:
    """Random, so that a digest whose words are erased fits no guess; a script's words hide nobody, and must repeat."""
    study = assignment.study
    if not study.is_simulation:
        return opaque.secret()
    return study.opaque_id("salt", assignment.region.public_id, assignment.annotator.pseudonym, number)


def _write(
    assignment: Assignment,
    *,
    rules: Protocol,
    answer: dict[str, Any],
    idempotency_key: str,
    seconds: float | None,
    comment: str,
    flagged: bool,
    reason: str,
    at: datetime,
) -> Annotation:
    number, earlier = _continue_chain(assignment)
    salt = _draw_salt(assignment, number) if comment else ""
    row = Annotation.objects.create(
        study=assignment.study,
        region=assignment.region,
        annotator=assignment.annotator,
        number=number,
        parent=earlier,
        assignment=assignment,
        assignment_kind=_recorded(assignment),
        protocol=rules,
        kind=answer["kind"],
        answer=answer,
        label=answers.label_of(answer),
        seconds=seconds,
        is_flagged=flagged,
        suggestion=versions.code_seen(assignment, assignment.suggestion, rules=rules),
        comment_digest=hashlib.sha256(f"{salt}{comment}".encode()).hexdigest() if comment else "",
        idempotency_key=idempotency_key,
        created_at=at,
    )
    if comment:
        PersonalText.objects.create(annotation=row, salt=salt, text=comment)
    leases.end(assignment, state=AssignmentState.SUBMITTED, at=at)
    revision = None
    if assignment.pick_id:
        pick = _lock_pick(assignment, assignment.pick_id)
        if assignment.kind in SLOT_KINDS and not pick.has_begun:
            pick.has_begun = True
            pick.save(update_fields=["has_begun"])
        revision = truth.settle(pick=pick, annotation=row, reason=reason, at=at)
        worth.place(pick)
    acceptance.review(assignments=[assignment], at=at)
    payload = {"annotation": row.content(), "revision": revision.content() if revision else None}
    ledger.append(study=assignment.study, kind="annotation", payload=payload, at=at)
    return row


def _recorded(assignment: Assignment) -> AssignmentKind:
    """What an answer is kept as. Who decides between the answers of an acceptance sample decides no truth."""
    if acceptance.is_of_sample(assignment):
        return AssignmentKind.VERIFY
    return AssignmentKind(assignment.kind)


def _continue_chain(assignment: Assignment) -> tuple[int, Annotation | None]:
    """The next number of this person on the region, and the last row of evidence, which a new answer corrects.

    Repeats and gold correct nothing.
    """
    written = Annotation.objects.filter(region=assignment.region_id, annotator=assignment.annotator_id)
    rows = list(written.order_by("-number"))
    chained = _chained(assignment.kind)
    earlier = next((row for row in rows if row.assignment_kind in chained), None)
    return (rows[0].number if rows else 0) + 1, earlier


def _chained(kind: str) -> tuple[str, ...]:
    return tuple(SLOT_KINDS) if kind in SLOT_KINDS else (kind,) if kind == AssignmentKind.ADJUDICATE else ()


def _lock_pick(assignment: Assignment, pick_id: int) -> Pick:
    pick = (
        # The region too: a joined row that is not locked is read as it was before the wait for the pick.
        Pick.objects.select_for_update(of=("self", "region"), no_key=True).select_related("region").get(pk=pick_id)
    )
    # The study as the submit read it, with its protocol and codes: an answer is parsed and settled by the same rules.
    pick.study = assignment.study
    versions.check_in_force(pick.study)
    return pick


@versions.begins_anew
def undo(*, member: Membership, token: str, idempotency_key: str) -> Assignment:
    """Take back one's own answer within the study's minutes: a correction row, and a fresh lease of the region.

    The same key returns the same lease's region again. Conflict when it was undone, the minutes are over, or the
    region lies before its author once more: then it is answered there, and the newest answer counts.
    """
    _check_key(idempotency_key)
    with transaction.atomic():
        assignment = leases.lock(member=member, token=token)
        done = Annotation.objects.filter(annotator=member, idempotency_key=idempotency_key).first()
        if done is not None:
            return _lease_again(done)
        now = clock.now()
        original = assignment.annotations.exclude(kind=AnswerKind.WITHDRAWN).order_by("-number").first()
        if assignment.state != AssignmentState.SUBMITTED or original is None:
            raise Conflict("There is no standing answer to take back.")
        qualification.check_may_take_back(assignment)
        minutes = assignment.study.policy.undo_minutes
        if original.created_at < now - timedelta(minutes=minutes):
            raise Conflict(f"An answer can be taken back for {minutes:g} minutes; these are over.")
        if Annotation.objects.filter(parent=original).exists():
            raise Conflict("This answer has been corrected already.")
        if Assignment.objects.filter(region=assignment.region_id, annotator=member, state=AssignmentState.LEASED):
            raise Conflict("You are being asked about this region again: answer it there.")
        return _withdraw(assignment, original=original, idempotency_key=idempotency_key, at=now)


def _withdraw(assignment: Assignment, *, original: Annotation, idempotency_key: str, at: datetime) -> Assignment:
    row = Annotation.objects.create(
        study=assignment.study,
        region=assignment.region,
        annotator=assignment.annotator,
        number=_continue_chain(assignment)[0],
        parent=original,
        assignment=assignment,
        assignment_kind=original.assignment_kind,
        protocol=original.protocol,
        kind=AnswerKind.WITHDRAWN,
        answer=None,
        idempotency_key=idempotency_key,
        created_at=at,
    )
    assignment.state = AssignmentState.WITHDRAWN
    assignment.save(update_fields=["state"])
    revision = None
    if assignment.pick_id:
        pick = _lock_pick(assignment, assignment.pick_id)
        revision = _reopen_pick(pick, kind=assignment.kind, original=original, at=at)
    fresh = Assignment.objects.create(
        study=assignment.study,
        region=assignment.region,
        annotator=assignment.annotator,
        pick=assignment.pick,
        kind=assignment.kind,
        leased_at=at,
        expires_at=at + timedelta(minutes=assignment.study.policy.lease_minutes),
        suggestion=versions.code_today(assignment, assignment.suggestion),
        suggestion_is_planted=assignment.suggestion_is_planted,
        withdrawal=row,
        entered=versions.entered_today(assignment, _entered_again(original)),
    )
    acceptance.review(assignments=[fresh], at=at)
    payload = {"annotation": row.content(), "revision": revision.content() if revision else None}
    ledger.append(study=assignment.study, kind="withdrawal", payload=payload, at=at)
    return fresh


def _entered_again(original: Annotation) -> dict[str, Any]:
    """What was answered, laid before its author once more: taking back is mostly about one part of it."""
    words = PersonalText.objects.filter(annotation=original, erased_at=None).values_list("text", flat=True).first()
    return {"answer": original.answer, "comment": words or "", "flagged": original.is_flagged}


def _reopen_pick(pick: Pick, *, kind: str, original: Annotation, at: datetime) -> GroundTruthRevision | None:
    """Open pick and region again where they were settled on the answer taken back. The slot stays with its author."""
    is_adjudication = kind == AssignmentKind.ADJUDICATE
    if pick.state == PickState.OPEN:
        return None
    busy = Pick.objects.filter(region=pick.region_id, state__in=truth.LIVE_PICKS)
    if busy.exclude(pk=pick.pk).exists():
        return None
    adjudicator_at_work = pick.assignments.filter(state=AssignmentState.LEASED, kind=AssignmentKind.ADJUDICATE).exists()
    if pick.state == PickState.ADJUDICATION and (adjudicator_at_work or is_adjudication):
        return None
    current = pick.region.current_revision
    rests_on_it = current is not None and current.is_settled and original.pk in current.annotation_ids
    # A pick that was superseded stays so, though the region that was asked again is at rest by now.
    if pick.state != PickState.ADJUDICATION and not rests_on_it:
        return None
    revision = None
    if rests_on_it:
        revision = truth.reopen(
            region=pick.region,
            study=pick.study,
            reason="An answer it rested on was taken back.",
            method=Method.WITHDRAWAL,
            at=at,
        )
    pick.state = PickState.ADJUDICATION if is_adjudication else PickState.OPEN
    # One slot stays with the author; what was open when an adjudicator took over is open again.
    pick.slots_open = 0 if is_adjudication else truth.count_unused(pick=pick) - 1
    pick.closed_at = None
    pick.save(update_fields=["state", "slots_open", "closed_at"])
    state = RegionState.ADJUDICATION if is_adjudication else RegionState.QUEUED
    pick.region.state = state
    pick.region.save(update_fields=["state"])
    return revision


def _lease_again(row: Annotation) -> Assignment:
    found = Assignment.objects.filter(withdrawal=row).first()
    if found is None:
        raise Conflict("This idempotency key was used for another answer.")
    return found


def _says_the_same(first: Annotation, answer: Any) -> bool:
    kept = first.answer
    return kept is not None and isinstance(answer, dict) and {key: answer.get(key) for key in kept} == kept


def _check_reason(assignment: Assignment, reason: str) -> str:
    decides = assignment.kind == AssignmentKind.ADJUDICATE
    if decides and not reason.strip():
        raise BadInput("Say why you decide so: an adjudication needs a reason.")
    if reason.strip() and not decides:
        raise BadInput("Only an adjudication has a reason. Leave a comment instead.")
    return reason.strip()


def _check_key(key: str) -> None:
    if not key or len(key) > 64:
        raise BadInput("An idempotency key has 1 to 64 characters.")
