"""What an annotator sees of the queue: the own lease, the own answers, the own drafts.

Decides what a lease shows, so that nothing in it tells whether or what others have answered. Refuses to
hand out work: that is services.queue.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from string import ascii_uppercase
from typing import Any

from django.db.models import QuerySet

from annotation import clock
from annotation.models import Annotation, Assignment, Draft, Membership, PersonalText, Region
from annotation.selectors import regions
from annotation.services import truth
from annotation.states import AnswerKind, AssignmentKind, AssignmentState


@dataclass(frozen=True, slots=True)
class Opinion:
    """One earlier answer as an adjudicator sees it: a letter instead of a name."""

    name: str
    answer: dict[str, Any]
    comment: str


@dataclass(frozen=True, slots=True)
class Lease:
    """An assignment as its holder sees it. `kind` tells adjudication apart and nothing else."""

    token: str
    kind: str
    region: Region
    leased_at: datetime
    expires_at: datetime
    suggestion: str
    opinions: list[Opinion]


def show(assignment: Assignment) -> Lease:
    """The assignment as its holder may see it: gold, repeats and rechecks look like any other region."""
    adjudicates = assignment.kind == AssignmentKind.ADJUDICATE
    return Lease(
        token=assignment.token,
        kind=regions.shown_kind(assignment.kind, member=assignment.annotator),
        region=assignment.region,
        leased_at=assignment.leased_at,
        expires_at=assignment.expires_at,
        suggestion=assignment.suggestion,
        opinions=opinions(assignment) if adjudicates else [],
    )


def live_lease(member: Membership) -> Assignment | None:
    """The lease `member` holds now, if any."""
    held = Assignment.objects.filter(annotator=member, state=AssignmentState.LEASED, expires_at__gt=clock.now())
    return held.select_related("region", "region__slide").order_by("-id").first()


def answers_today(member: Membership) -> int:
    """How many answers `member` has given since midnight (UTC) and not taken back."""
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    own = Annotation.objects.filter(annotator=member, created_at__gte=midnight, corrections__isnull=True)
    return own.exclude(kind=AnswerKind.WITHDRAWN).count()


def drafts(member: Membership, *, limit: int = 20) -> QuerySet[Draft]:
    """What `member` had entered when a lease was lost, newest first."""
    own = Draft.objects.filter(assignment__annotator=member)
    return own.select_related("assignment__region")[:limit]


def own_answers(member: Membership) -> QuerySet[Annotation]:
    """Everything `member` has answered, corrections and withdrawals included."""
    return Annotation.objects.filter(annotator=member).select_related("region", "personal_text")


def opinions(assignment: Assignment) -> list[Opinion]:
    """The standing answers an adjudicator judges between, without names.

    The order hangs on the lease's token: the same each time it is looked at, different from region to region,
    so that a letter does not become a person.
    """
    given = {one.pseudonym: one for one in truth.opinions_on(assignment.region, study=assignment.study)}
    words = PersonalText.objects.filter(annotation__in=[one.annotation for one in given.values()], erased_at=None)
    comments = dict(words.values_list("annotation_id", "text"))
    shuffled = sorted(given, key=lambda name: hashlib.sha256(f"{assignment.token} {name}".encode()).digest())
    return [
        Opinion(
            name=letter(place),
            answer={"kind": AnswerKind.CLASS.value, "label": given[name].label},
            comment=comments.get(given[name].annotation.pk, ""),
        )
        for place, name in enumerate(shuffled)
    ]


def letter(place: int) -> str:
    """A, B, ... Z, A1, B1, ..."""
    turn, position = divmod(place, len(ascii_uppercase))
    return ascii_uppercase[position] + (str(turn) if turn else "")


def comment_of(annotation: Annotation) -> str:
    """The words of the comment, or nothing where there were none or they were erased."""
    text = getattr(annotation, "personal_text", None)
    return "" if text is None or text.erased_at else text.text
