"""The ledger in words: what was done, by whom, to how many regions; a day at a glance; one person's sessions.

Decides the wording, and how much of an entry is read: a bulk entry's rows are counted by the database and never sent.
Refuses to check the chain (services.ledger) and to say what stood (selectors.moments).
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, IntegerField, QuerySet, TextField, Value
from django.db.models.functions import Left, Length, Replace, TruncDate

from annotation.models import LedgerAnchor, LedgerEntry, Membership, Region, Study
from annotation.selectors import moments
from annotation.states import AnswerKind

PAGE = 50
DAYS = 14
GAP = timedelta(minutes=30)
"""A longer pause between two answers ends a session."""
_HEAD = 4000
_REVISION, _ANSWER = '"row":"revision"', '"row":"annotation"'
ANSWERS = ("annotation", "withdrawal")
_TITLES = {
    "annotation": "{by} answered a region",
    "withdrawal": "{by} took an answer back",
    "revision": "{by} decided over {regions}",
    "recheck": "{regions} asked again",
    "restore": "{by} restored a revision",
    "protocol": "A protocol was published",
    "finding": "{by} decided about a finding",
    "bulk": "{by} decided about several findings",
    "pass": "A consistency pass was started",
    "release": "A release was cut",
    "set-aside": "{by} set answers of {person} aside",
    "take-back": "{by} took an entry back",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as a line: `regions` and `answers` count its rows, `region` is named where there is only one."""

    position: int
    kind: str
    at: datetime
    title: str
    reason: str
    by: str
    region: str
    regions: int
    answers: int
    is_reversible: bool


@dataclass(frozen=True, slots=True)
class Session:
    """Answers of a person without a long pause between them. `agreed` of `judged`: with the truth as it stands."""

    since: datetime
    until: datetime
    answers: int
    judged: int
    agreed: int


def entries(study: Study, *, before: int | None = None, kind: str = "", with_answers: bool = False) -> list[Entry]:
    """A page of entries, newest first; single answers only where they are asked for, as they are most of a ledger."""
    rows = LedgerEntry.objects.filter(study=study).order_by("-position")
    if before is not None:
        rows = rows.filter(position__lt=before)
    if kind:
        rows = rows.filter(kind=kind)
    elif not with_answers:
        rows = rows.exclude(kind__in=ANSWERS)
    return [_tell(row) for row in _measured(rows)[:PAGE]]


def entry(study: Study, position: int) -> Entry | None:
    """One entry as a line."""
    return next((_tell(row) for row in _measured(LedgerEntry.objects.filter(study=study, position=position))), None)


def _measured(rows: QuerySet[LedgerEntry]) -> QuerySet[LedgerEntry, Any]:
    found = rows.annotate(
        head=Left("payload", _HEAD), revisions=_occurrences(_REVISION), answered=_occurrences(_ANSWER)
    )
    return found.defer("payload")


def _occurrences(text: str) -> Any:
    left = Length(Replace("payload", Value(text, output_field=TextField()), Value("", output_field=TextField())))
    return (Length(F("payload")) - left) / Value(len(text), output_field=IntegerField())


def _tell(row: Any) -> Entry:
    said = _read(row.head)
    by = str(said.get("by") or _find(row.head, "annotator" if row.kind in ANSWERS else "actor") or "The program")
    regions = row.revisions
    words = {"by": by, "person": said.get("person", ""), "regions": f"{regions} region{'' if regions == 1 else 's'}"}
    title = _TITLES.get(row.kind, row.kind.replace("-", " ").capitalize()).format(**words)
    return Entry(
        position=row.position,
        kind=row.kind,
        at=row.created_at,
        title=title,
        reason=str(said.get("reason") or _find(row.head, "reason")),
        by=by,
        region=_find(row.head, "region") if max(regions, row.answered) == 1 else "",
        regions=regions,
        answers=row.answered,
        is_reversible=row.kind not in ANSWERS and regions + row.answered > 0,
    )


def _read(head: str) -> dict[str, Any]:
    """The payload where the head is all of it; else what stands before the rows (keys are sorted)."""
    try:
        found = json.loads(head)
    except (ValueError, RecursionError):
        return {name: _find(head.partition('"rows":')[0], name) for name in ("by", "person", "reason")}
    return found if isinstance(found, dict) else {}


def _find(text: str, name: str) -> str:
    found = re.search(rf'"{name}":("(?:[^"\\]|\\.)*")', text)
    return str(json.loads(found[1])) if found else ""


def days(study: Study, *, before: datetime | None = None) -> list[dict[str, Any]]:
    """The last two weeks on which something was written: entries by day and kind, newest day first."""
    rows = LedgerEntry.objects.filter(study=study).order_by()
    if before is not None:
        rows = rows.filter(created_at__lt=before)
    counted = rows.annotate(day=TruncDate("created_at")).values_list("day", "kind").annotate(count=Count("pk"))
    found: dict[Any, dict[str, int]] = {}
    for day, kind, number in counted:
        found.setdefault(day, {})[kind] = number
    return [{"day": day, "kinds": dict(sorted(found[day].items()))} for day in sorted(found, reverse=True)[:DAYS]]


def anchors(study: Study) -> QuerySet[LedgerAnchor]:
    """Where heads were carried, newest first."""
    return LedgerAnchor.objects.filter(study=study).order_by("-created_at", "-pk")[:PAGE]


def sessions(member: Membership) -> list[Session]:
    """The person's sessions, newest first, of the answers that count."""
    now = moments.resolve(member.study)
    rows = moments.standing_answers(now, member).values_list("region_id", "label", "kind", "created_at")
    given = [(at, region, label) for region, label, kind, at in rows if kind != AnswerKind.WITHDRAWN]
    truths = Region.objects.filter(pk__in=[region for _, region, _ in given], current_revision__is_settled=True)
    held = dict(truths.values_list("pk", "current_revision__label"))
    found: list[list[tuple[datetime, bool | None]]] = []
    for at, region, label in sorted(given):
        agrees = None if region not in held else held[region] == label
        if not found or at - found[-1][-1][0] > GAP:
            found.append([])
        found[-1].append((at, agrees))
    return [
        Session(
            since=one[0][0],
            until=one[-1][0],
            answers=len(one),
            judged=sum(agrees is not None for _, agrees in one),
            agreed=sum(agrees is True for _, agrees in one),
        )
        for one in reversed(found)
    ]
