"""How a region's truth came about, for managers: what happened in order, and what stood at a moment.

Decides the wording and the order of events; refuses to write, and knows nobody by name: people are pseudonyms.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from annotation.models import Annotation, Assignment, Finding, GroundTruthRevision, Pick, Region
from annotation.selectors import moments, queue, regions
from annotation.services import truth
from annotation.states import (
    AnswerKind,
    AssignmentKind,
    AssignmentState,
    Method,
    Stratum,
)

MOST_ROWS = 300
"""Of each kind; a region has a handful, and a page has an end."""

_STRATA = {
    Stratum.COLD: "as a typical region, before there was a model",
    Stratum.RANKED: "because the ranking chose it",
    Stratum.RANDOM: "as part of the random share",
    Stratum.AUDIT: "for the audit sample",
    Stratum.RECHECK: "to be asked again",
}
_ANSWERS = {
    AssignmentKind.LABEL: "answered",
    AssignmentKind.REPEAT: "answered again, as a repeat",
    AssignmentKind.GOLD: "answered it as gold",
    AssignmentKind.QUALIFY: "answered it in the entry test",
    AssignmentKind.SWAY: "answered it under a suggestion that was wrong on purpose",
    AssignmentKind.ADJUDICATE: "adjudicated",
    AssignmentKind.RECHECK: "answered the recheck",
    AssignmentKind.VERIFY: "answered it blind, for an acceptance sample",
}
_SOURCES = {
    Method.MAJORITY: "Consensus by majority",
    Method.DAWID_SKENE: "Consensus",
    Method.ADJUDICATION: "Adjudication",
    Method.WITHDRAWAL: "Withdrawal",
    Method.CONSISTENCY: "Consistency",
    Method.MAPPING: "New protocol",
    Method.RESTORE: "Restored",
}


@dataclass(frozen=True, slots=True)
class Change:
    """What a revision changed against the one before."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `details` are sentences; `text` is what a person wrote."""

    at: datetime
    kind: str
    title: str
    label: str = ""
    text: str = ""
    details: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The whole history, and what stood at `as_of` (None: now), which is entry `position` of the ledger."""

    region: Region
    as_of: datetime | None
    position: int | None
    events: list[Event]
    revisions: list[GroundTruthRevision]
    standing: GroundTruthRevision | None
    answers: list[Annotation]
    is_cut: bool


def read(region: Region, *, as_of: datetime | None = None, position: int | None = None) -> Timeline:
    """The region's history up to now, oldest first, with what stood at `as_of`, or at a position of the ledger."""
    is_past = as_of is not None or position is not None
    moment = moments.resolve(region.study, position=position, at=as_of) if is_past else None
    revisions = list(regions.revisions(region).order_by("number")[:MOST_ROWS])
    answers = list(_answers(region))
    picks = list(_picks(region))
    skips = list(_skips(region))
    findings = list(_findings(region))
    told = [
        *map(_tell_pick, picks),
        *(_tell_answer(row, reasons={one.reason for one in revisions}) for row in answers),
        *map(_tell_skip, skips),
        *map(_tell_finding, findings),
        *_tell_revisions(revisions),
    ]
    by_then = [row for row in revisions if moment is None or moment.holds(row)]
    return Timeline(
        region=region,
        as_of=as_of or (moment.at if moment else None),
        position=moment.position if moment else None,
        events=sorted(told, key=lambda event: event.at),
        revisions=revisions,
        standing=by_then[-1] if by_then else None,
        answers=truth.effective(row for row in answers if moment is None or moment.holds(row)),
        is_cut=any(len(rows) == MOST_ROWS for rows in (revisions, answers, picks, skips, findings)),
    )


def compare(after: GroundTruthRevision, before: GroundTruthRevision | None) -> list[Change]:
    """What differs between two revisions of a region, `before` None: the region was undecided."""
    old, new = _facts(before), _facts(after)
    return [Change(what, old[what], value) for what, value in new.items() if old[what] != value]


def source_of(revision: GroundTruthRevision) -> str:
    """Where a revision came from, in words."""
    if revision.method == Method.CONSISTENCY and revision.actor_id and revision.is_excluded:
        return "Left out by a manager"
    if revision.method == Method.CONSISTENCY and revision.actor_id and revision.is_settled:
        return "Decided by a manager"
    if not (revision.is_settled or revision.is_excluded):
        return "Asked again" if revision.method in (Method.CONSISTENCY, Method.MAPPING) else "Open again"
    return _SOURCES[Method(revision.method)]


def _facts(row: GroundTruthRevision | None) -> dict[str, str]:
    if row is None:
        return {"state": "undecided", "class": "", "confidence": "", "source": "", "protocol": ""}
    state = "left out" if row.is_excluded else "settled" if row.is_settled else "open"
    return {
        "state": state,
        "class": row.label,
        "confidence": "" if row.confidence is None else f"{row.confidence:.3f}",
        "source": source_of(row),
        "protocol": f"version {row.protocol.number}",
    }


def _answers(region: Region) -> Any:
    rows = Annotation.objects.filter(region=region).order_by("id")
    return rows.select_related("annotator", "protocol", "parent", "personal_text")[:MOST_ROWS]


def _picks(region: Region) -> Any:
    rows = Pick.objects.filter(region=region).select_related("batch__model")
    return rows.order_by("batch__created_at", "pk")[:MOST_ROWS]


def _skips(region: Region) -> Any:
    rows = Assignment.objects.filter(region=region, state=AssignmentState.SKIPPED, closed_at__isnull=False)
    return rows.select_related("annotator").order_by("closed_at", "pk")[:MOST_ROWS]


def _findings(region: Region) -> Any:
    rows = Finding.objects.filter(region=region).select_related("consistency_pass", "decided_by")
    return rows.order_by("consistency_pass__number", "pk")[:MOST_ROWS]


def _tell_pick(pick: Pick) -> Event:
    model = pick.batch.model
    by = f"model {model.number}" if model else "no model yet"
    details = [f"Batch {pick.batch_number}, strategy {pick.batch.strategy}, {by}."]
    if pick.probability:
        details.append(f"Its chance of being drawn was {pick.probability:.4f}.")
    if pick.parts.get("predicted"):
        details.append(f"The model expected {pick.parts['predicted']} at {float(pick.parts.get('top', 0.0)):.2f}.")
    if pick.reason:
        details.append(pick.reason)
    title = f"Queued {_STRATA[Stratum(pick.stratum)]}"
    return Event(at=pick.batch.created_at, kind="pick", title=title, text=pick.note, details=details)


def _tell_answer(row: Annotation, *, reasons: set[str]) -> Event:
    """`reasons` stand in revisions; an adjudicator's own copy of it is not shown twice."""
    who = row.annotator.pseudonym
    details = [f"Answer {row.number} of {who}, under protocol {row.protocol.number}."]
    if row.seconds is not None:
        details.append(f"It took {row.seconds:.1f} s.")
    if row.suggestion:
        details.append(f"The model's suggestion {row.suggestion} was shown.")
    if row.is_flagged:
        details.append("Flagged.")
    if row.kind == AnswerKind.WITHDRAWN:
        return Event(row.created_at, "withdrawal", f"{who} took the answer back", details=details)
    said = _ANSWERS[AssignmentKind(row.assignment_kind)]
    verb = "corrected the answer" if row.parent_id and row.parent and row.parent.kind != AnswerKind.WITHDRAWN else said
    comment = queue.comment_of(row)
    return Event(row.created_at, "answer", f"{who} {verb}", row.label, "" if comment in reasons else comment, details)


def _tell_skip(row: Assignment) -> Event:
    assert row.closed_at is not None
    return Event(row.closed_at, "skip", f"{row.annotator.pseudonym} skipped it", text=row.skip_reason)


def _tell_finding(row: Finding) -> Event:
    details = []
    if row.decided_by and row.decided_at:
        details.append(f"Now {row.state}, by {row.decided_by.pseudonym}: {row.reason}")
    title = f"Pass {row.consistency_pass.number} found a {row.severity}"
    return Event(row.consistency_pass.created_at, "finding", title, text=row.message, details=details)


def _tell_revisions(rows: list[GroundTruthRevision]) -> Iterator[Event]:
    before: GroundTruthRevision | None = None
    for row in rows:
        yield Event(
            at=row.created_at,
            kind="revision",
            title=f"Revision {row.number}: {source_of(row)}",
            label=row.label,
            text=row.reason,
            details=_explain(row),
            changes=compare(row, before),
            revision=row.number,
        )
        before = row


def _explain(row: GroundTruthRevision) -> list[str]:
    details = [f"By {row.actor.pseudonym}."] if row.actor else []
    if row.evidence:
        details.append("Rests on " + ", ".join(f"{name}'s answer {number}" for name, number in row.evidence) + ".")
    if row.snapshot:
        details.append(f"Computed with reliability snapshot {row.snapshot.number}.")
    return details
