"""How people did on gold and on repeats: regions with a known truth, and their own regions shown again.

Decides what is compared with what, under today's classes; refuses to know when checks are handed out.
"""

from collections import Counter
from dataclasses import dataclass, field

from django.db.models import Count, F, OuterRef, Subquery

from annotation.models import Annotation
from annotation.selectors.dashboard.board import Board
from annotation.states import SLOT_KINDS, AnswerKind, AssignmentKind


@dataclass(frozen=True, slots=True)
class Checks:
    """By pseudonym: gold answered and right, repeats answered and the same as before."""

    gold: Counter[str] = field(default_factory=Counter)
    gold_right: Counter[str] = field(default_factory=Counter)
    repeats: Counter[str] = field(default_factory=Counter)
    repeats_same: Counter[str] = field(default_factory=Counter)


def read(board: Board) -> Checks:
    """All checks that were answered and not taken back."""
    found: Checks = board.keep("checks", lambda: _read(board))
    return found


def _read(board: Board) -> Checks:
    checks = Checks()
    codes = board.reading.codes
    for name, protocol, label, truth, count in _gold(board):
        checks.gold[name] += count
        checks.gold_right[name] += count if codes.get(protocol, {}).get(label) == truth else 0
    for name, protocol, label, older, before, count in _repeats(board):
        if before is None:
            continue  # the first answer was taken back since: there is nothing to compare with
        checks.repeats[name] += count
        now, then = codes.get(protocol, {}).get(label), codes.get(older, {}).get(before)
        checks.repeats_same[name] += count if now is not None and now == then else 0
    return checks


def _standing(board: Board, kind: AssignmentKind):  # type: ignore[no-untyped-def]
    rows = Annotation.objects.filter(study=board.study, assignment_kind=kind).exclude(kind=AnswerKind.WITHDRAWN)
    return rows.exclude(corrections__kind=AnswerKind.WITHDRAWN).order_by()


def _gold(board: Board):  # type: ignore[no-untyped-def]
    rows = _standing(board, AssignmentKind.GOLD).filter(region__known_truth__isnull=False)
    grouped = rows.values_list("annotator__pseudonym", "protocol", "label", "region__known_truth__label")
    return grouped.annotate(count=Count("pk"))


def _repeats(board: Board):  # type: ignore[no-untyped-def]
    first = (
        Annotation.objects.filter(
            study=OuterRef("study"),
            region=OuterRef("region"),
            annotator=OuterRef("annotator"),
            assignment_kind__in=SLOT_KINDS,
            corrections__isnull=True,
        )
        .exclude(kind=AnswerKind.WITHDRAWN)
        .order_by("-pk")
    )
    rows = _standing(board, AssignmentKind.REPEAT).annotate(
        before=Subquery(first.values("label")[:1]), older=Subquery(first.values("protocol")[:1])
    )
    grouped = rows.values_list("annotator__pseudonym", "protocol", "label", F("older"), F("before"))
    return grouped.annotate(count=Count("pk"))
