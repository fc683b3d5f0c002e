"""What came of every check on a person: gold answered right or wrong, repeats answered as before or not.

Decides what is compared with what, under today's classes; refuses to know when checks are handed out, and what a
person's results mean.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, OuterRef, QuerySet, Subquery

from annotation import mapping
from annotation.models import Annotation, Study
from annotation.states import SLOT_KINDS, AnswerKind, AssignmentKind

Codes = dict[int, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One check that was answered and not taken back. `number` orders all answers of the site."""

    number: int
    pseudonym: str
    kind: AssignmentKind
    is_right: bool
    at: datetime


def read(study: Study, *, codes: Codes | None = None) -> list[Outcome]:
    """All gold and repeats of the study, in the order of answering; what can't be compared today is left out."""
    table = codes if codes is not None else mapping.exact_codes(study)
    found = [*_gold(study, table), *_repeats(study, table)]
    return sorted(found, key=lambda one: one.number)


def standing(study: Study, kind: AssignmentKind) -> QuerySet[Annotation]:
    """Answers to assignments of this kind that were not taken back."""
    rows = Annotation.objects.filter(study=study, assignment_kind=kind).exclude(kind=AnswerKind.WITHDRAWN)
    return rows.exclude(corrections__kind=AnswerKind.WITHDRAWN).order_by()


def _gold(study: Study, codes: Codes) -> Iterator[Outcome]:
    rows = standing(study, AssignmentKind.GOLD).filter(region__gold__isnull=False)
    columns = ("pk", "annotator__pseudonym", "created_at", "protocol", "label", *_GOLD)
    for number, name, at, protocol, label, rules, known in rows.values_list(*columns):
        truth = codes.get(rules, {}).get(known)
        if truth is not None:
            is_right = codes.get(protocol, {}).get(label) == truth
            yield Outcome(number, name, AssignmentKind.GOLD, is_right, at)


_GOLD = ("region__gold__protocol", "region__gold__label")


def _repeats(study: Study, codes: Codes) -> Iterator[Outcome]:
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
    rows = standing(study, AssignmentKind.REPEAT).annotate(
        before=Subquery(first.values("label")[:1]), older=Subquery(first.values("protocol")[:1])
    )
    columns = ("pk", "annotator__pseudonym", "created_at", "protocol", "label", F("older"), F("before"))
    for number, name, at, protocol, label, older, before in rows.values_list(*columns):
        then = codes.get(older, {}).get(before or "")
        now = codes.get(protocol, {}).get(label)
        # Taken back since, or of a class that was split: there is nothing to compare with.
        if then is not None and now is not None:
            yield Outcome(number, name, AssignmentKind.REPEAT, now == then, at)
