"""Decisions about findings: by a named manager, with a reason, in the ledger.

Decides what may close a finding and what each fix does; refuses to run rules. Only accepting (the data are right as
they are) and waiving (the defect is known and borne) clear the way for a release of the same pass. A fix that changes
the truth resolves its finding too, but the pass has not seen the change: it takes a new one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, JSONField, TextField, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Cast

from annotation import clock
from annotation.errors import BadInput, Conflict, Refused
from annotation.models import ConsistencyPass, Finding, Membership
from annotation.rules import CHANGING_FIXES, Fix, by_code
from annotation.services import fixes, ledger, truth
from annotation.states import FindingState, Role, may_move

_DECIDED = ("state", "decided_by", "decided_at", "reason", "waived_until")


def apply(
    *,
    finding: Finding,
    member: Membership,
    reason: str,
    fix: str | None = None,
    answer: dict[str, Any] | None = None,
) -> Finding:
    """Do what the finding offers, or `fix`, and close it.

    recheck: ask further people. adjudicate: decide by `answer`, or hand the region to the adjudicators. merge: keep
    one of the two regions. map: carry the region over to the class of `answer`. exclude: leave the region out.
    accept: the data are right as they are. waive: the defect is known.
    """
    return apply_many(findings=[finding], member=member, reason=reason, fix=fix, answer=answer)[0]


def accept(*, finding: Finding, member: Membership, reason: str) -> Finding:
    """Resolve a finding whose data are right as they are."""
    return apply(finding=finding, member=member, reason=reason, fix=Fix.ACCEPT)


def waive(*, finding: Finding, member: Membership, reason: str, until: datetime | None = None) -> Finding:
    """Bear a known defect, for good or until a moment; the waiver enters the release."""
    return apply_many(findings=[finding], member=member, reason=reason, fix=Fix.WAIVE, until=until)[0]


def waive_many(
    *, findings: Sequence[Finding], member: Membership, reason: str, until: datetime | None = None
) -> list[Finding]:
    """Waive several findings of one pass with one reason and one ledger entry."""
    return apply_many(findings=findings, member=member, reason=reason, fix=Fix.WAIVE, until=until)


@transaction.atomic
def apply_many(
    *,
    findings: Sequence[Finding],
    member: Membership,
    reason: str,
    fix: str | None = None,
    answer: dict[str, Any] | None = None,
    until: datetime | None = None,
) -> list[Finding]:
    """`apply` to several findings of one pass: all of them or none, with one ledger entry."""
    consistency_pass = _lock_pass(findings, member=member, reason=reason)
    at = clock.now()
    if until is not None and until <= at:
        raise BadInput("The waiver would have run out already: give a later moment.")
    rows = _lock(findings)
    # Findings first, then all picks and regions, then the ledger's head: the order in which everyone locks.
    chosen = [(row, _choose(row, fix)) for row in rows]
    for row, one in chosen:
        _close(row, fix=one, member=member, reason=reason, until=until, at=at)
    _save(rows)
    truth.lock_regions(key for row, one in chosen if one in CHANGING_FIXES for key in _region_ids(row))
    written = fixes.carry_out(chosen, member=member, reason=reason, answer=answer, at=at)
    _log(consistency_pass, rows, member=member, at=at, written=written)
    return rows


def reopen(*, finding: Finding, member: Membership, reason: str) -> Finding:
    """Take a decision back; the finding stands before a release again."""
    return reopen_many(findings=[finding], member=member, reason=reason)[0]


@transaction.atomic
def reopen_many(*, findings: Sequence[Finding], member: Membership, reason: str) -> list[Finding]:
    """Take the decisions about several findings of one pass back: all of them or none, with one ledger entry."""
    consistency_pass = _lock_pass(findings, member=member, reason=reason)
    rows = _lock(findings)
    at = clock.now()
    for row in rows:
        if not may_move(row.state, FindingState.OPEN, of=FindingState):
            raise Conflict("The finding is open already.")
        row.state, row.decided_by, row.decided_at = FindingState.OPEN, member, at
        row.reason, row.waived_until = reason.strip(), None
        row.data = {key: value for key, value in row.data.items() if key != "decision"}
    _save(rows)
    _log(consistency_pass, rows, member=member, at=at)
    return rows


def _lock(findings: Sequence[Finding]) -> list[Finding]:
    return list(
        Finding.objects.select_for_update(of=("self",), no_key=True)
        .select_related("region", "counterpart")
        .filter(pk__in=[finding.pk for finding in findings])
        .order_by("pk")
    )


def _save(rows: Sequence[Finding]) -> None:
    """Write what was decided, a statement for each decision: rows decided at once differ in their fix alone."""
    alike: dict[str | None, list[Finding]] = {}
    for row in rows:
        alike.setdefault(row.data.get("decision", {}).get("fix"), []).append(row)
    for fix, decided in alike.items():
        decision = {} if fix is None else {"decision": {"fix": fix}}
        said = {name: getattr(decided[0], name) for name in _DECIDED}
        Finding.objects.filter(pk__in=[row.pk for row in decided]).update(**said, data=_redecide(decision))


def _redecide(decision: dict[str, Any]) -> CombinedExpression:
    """The column `data` with `decision` in the place of an earlier one."""
    found = CombinedExpression(F("data"), "-", Cast(Value("decision"), TextField()), output_field=JSONField())
    return CombinedExpression(found, "||", Value(decision, output_field=JSONField()), output_field=JSONField())


def _lock_pass(findings: Sequence[Finding], *, member: Membership, reason: str) -> ConsistencyPass:
    if not reason.strip():
        raise BadInput("A decision about a finding needs a reason.")
    passes = {finding.consistency_pass_id for finding in findings}
    if len(passes) != 1:
        raise BadInput("Name at least one finding, and only findings of one consistency pass.")
    row = ConsistencyPass.objects.select_for_update(of=("self",), no_key=True).get(pk=passes.pop())
    if member.study_id != row.study_id or member.role != Role.MANAGER or not member.is_active:
        raise Refused("Findings are decided by a manager of the study.")
    if hasattr(row, "release"):
        raise Conflict(f"Pass {row.number} has been released: its findings no longer change. Run a new pass.")
    return row


def _choose(row: Finding, fix: str | None) -> Fix:
    """The fix to take; errors where the finding is closed or does not allow it."""
    rule = by_code(row.rule)
    chosen = Fix(row.fix if fix is None else fix) if (fix or row.fix) in set(Fix) else None
    if not chosen:
        known = ", ".join(one for one in Fix if one)
        raise BadInput(f"'{fix or row.fix}' is no fix for this finding: choose one of {known}.")
    if row.state != FindingState.OPEN:
        raise Conflict(f"The finding is {row.state} already; reopen it to decide anew.")
    if rule is not None and not rule.is_waivable:
        raise Refused(f"'{rule.title}' can be neither accepted nor waived: repair the cause and run a new pass.")
    if chosen in CHANGING_FIXES and row.region_id is None:
        raise BadInput(f"'{chosen}' needs a region, but this finding is about {row.subject}.")
    if chosen == Fix.MERGE and row.counterpart_id is None:
        raise BadInput("Only two regions that show the same can be merged, but this finding names one.")
    return chosen


def _close(row: Finding, *, fix: Fix, member: Membership, reason: str, until: datetime | None, at: datetime) -> None:
    row.state = FindingState.WAIVED if fix == Fix.WAIVE else FindingState.RESOLVED
    row.decided_by, row.decided_at, row.reason, row.waived_until = member, at, reason.strip(), until
    row.data = {**row.data, "decision": {"fix": fix.value}}


def _region_ids(row: Finding) -> list[int]:
    return [key for key in (row.region_id, row.counterpart_id) if key is not None]


def _log(
    consistency_pass: ConsistencyPass,
    rows: Sequence[Finding],
    *,
    member: Membership,
    at: datetime,
    written: Sequence[dict[str, Any]] = (),
) -> None:
    """One entry for all decisions, with the revisions that they wrote."""
    decisions = [_vouch(row) for row in rows]
    payload = {"pass": consistency_pass.number, "by": member.pseudonym}
    if len(decisions) == 1:
        payload |= {"finding": decisions[0]}
    else:
        payload |= {"findings": decisions}
    kind = "finding" if len(decisions) == 1 else "bulk"
    if written:
        payload |= {"rows": list(written)}
        kind = "fix"
    ledger.append(study=consistency_pass.study, kind=kind, payload=payload, at=at)


def _vouch(row: Finding) -> dict[str, Any]:
    return {
        "rule": row.rule,
        "region": row.region.public_id if row.region else None,
        "counterpart": row.counterpart.public_id if row.counterpart else None,
        "subject": row.subject,
        "evidence_digest": row.data["evidence_digest"],
        "state": row.state,
        "fix": row.data.get("decision", {}).get("fix"),
        "reason": row.reason,
        "until": row.waived_until.isoformat() if row.waived_until else None,
    }
