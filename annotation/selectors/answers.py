"""A person's own answers as pages, each with what became of it by the person's own hand.

Decides what a person may know of the own past: an answer stands, was taken back, or the same region was answered
again. Refuses to tell why a region came again: a repeat, a recheck and an undo look the same from here.
"""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from annotation.errors import Missing
from annotation.models import Annotation, Membership
from annotation.states import AnswerKind


@dataclass(frozen=True, slots=True)
class Page:
    """Some answers, newest first; `next` names the page after it, or is empty."""

    rows: list[Annotation]
    next: str
    is_first: bool


def page(*, member: Membership, after: str = "", size: int) -> Page:
    """The answers older than the one with the idempotency key `after`; Missing where there is no such answer."""
    rows = _own(member)
    if after:
        known = Annotation.objects.filter(annotator=member, idempotency_key=after[:64]).values_list("id")
        # No key holds NUL, and PostgreSQL takes no question with one.
        last = None if "\x00" in after else known.first()
        if last is None:
            raise Missing("There is no such page of answers.")
        rows = rows.filter(id__lt=last[0])
    found = list(rows[: size + 1])
    more = found[size - 1].idempotency_key if len(found) > size else ""
    return Page(rows=found[:size], next=more, is_first=not after)


def _own(member: Membership) -> QuerySet[Annotation]:
    later = Annotation.objects.filter(annotator=member, region=OuterRef("region"), id__gt=OuterRef("id"))
    taken_back = Annotation.objects.filter(parent=OuterRef("pk"), kind=AnswerKind.WITHDRAWN)
    rows = Annotation.objects.filter(annotator=member).exclude(kind=AnswerKind.WITHDRAWN)
    rows = rows.annotate(was_taken_back=Exists(taken_back))
    rows = rows.annotate(was_answered_again=Exists(later.exclude(kind=AnswerKind.WITHDRAWN)))
    return rows.select_related("region__slide", "personal_text").order_by("-id")
