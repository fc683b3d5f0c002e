"""What an annotator sees of the queue: the own lease, the own answers, the own drafts.

Decides what a lease shows, so that nothing in it tells whether or what others have answered. Refuses to
hand out work: that is services.queue.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from string import ascii_uppercase
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from annotation import clock
from annotation.models import Annotation, Assignment, Draft, Membership, PersonalText, Region
from annotation.selectors import acceptance, oldanswers, regions
from annotation.services import truth
from annotation.services.queue import versions
from annotation.states import SLOT_KINDS, AnswerKind, AssignmentKind, AssignmentState

DRAFTS_SHOWN_FOR = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Opinion:
    """One earlier answer as an adjudicator sees it: a letter instead of a name."""

    name: str
    answer: dict[str, Any]
    comment: str
    is_flagged: bool


@dataclass(frozen=True, slots=True)
class Lease:
    """An assignment as its holder sees it. `kind` tells adjudication apart and nothing else."""

    token: str
    kind: str
    region: Region
    leased_at: datetime
    expires_at: datetime
    suggestion: str
    note: str
    entered: dict[str, Any] | None
    entered_version: int
    opinions: list[Opinion]
    before: dict[str, Any] | None = None


def show(assignment: Assignment) -> Lease:
    """One assignment as its holder may see it."""
    return show_all([assignment])[0]


def show_all(assignments: Sequence[Assignment]) -> list[Lease]:
    """A holder's assignments as he or she may see them: gold, repeats and rechecks look like any other region.

    A manager's note is shown to those who have answered the region: to others it would tell that somebody has.
    What was entered under an earlier lease of the region is laid before its author again.
    """
    for one in assignments:
        # One person's leases are of one study: its classes are read once.
        one.study = assignments[0].study
    earlier = _latest_drafts(assignments)
    noted = _noted(assignments)
    before = oldanswers.own(assignments)
    return [
        Lease(
            token=one.token,
            kind=regions.shown_kind(one.kind, member=one.annotator),
            region=one.region,
            leased_at=one.leased_at,
            expires_at=one.expires_at,
            suggestion=versions.code_today(one, one.suggestion),
            note=noted.get(one.pk, ""),
            entered=versions.entered_today(
                one, one.entered if one.entered_version or one.entered else earlier.get(one.region_id)
            ),
            entered_version=one.entered_version,
            opinions=opinions(one) if one.kind == AssignmentKind.ADJUDICATE else [],
            before=before.get(one.pk),
        )
        for one in assignments
    ]


def _noted(assignments: Sequence[Assignment]) -> dict[int, str]:
    """The manager's note by assignment, where its holder has answered the region before."""
    again = [one for one in assignments if one.kind == AssignmentKind.RECHECK and one.pick and one.pick.note]
    if not again:
        return {}
    known = Annotation.objects.filter(
        annotator=again[0].annotator_id,
        region__in=[one.region_id for one in again],
        assignment_kind__in=SLOT_KINDS,
        kind=AnswerKind.CLASS,
    )
    answered = set(known.values_list("region_id", flat=True))
    return {one.pk: one.pick.note for one in again if one.pick and one.region_id in answered}


def _latest_drafts(assignments: Sequence[Assignment]) -> dict[int, dict[str, Any]]:
    """The holder's newest draft that still waits, by region."""
    if not assignments:
        return {}
    waiting = _waiting_drafts(assignments[0].annotator_id)
    waiting = waiting.filter(assignment__region__in=[one.region_id for one in assignments])
    return dict(waiting.order_by("id").values_list("assignment__region_id", "content"))


def held(member: Membership) -> QuerySet[Assignment]:
    """The leases `member` holds now, oldest first."""
    live = Assignment.objects.filter(annotator=member, state=AssignmentState.LEASED, expires_at__gt=clock.now())
    return live.select_related("annotator", "region__slide", "pick", "study__protocol").order_by("id")


def answers_today(member: Membership) -> int:
    """How many answers `member` has given since midnight (UTC) and not taken back."""
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    own = Annotation.objects.filter(annotator=member, created_at__gte=midnight, corrections__isnull=True)
    return own.exclude(kind=AnswerKind.WITHDRAWN).count()


def drafts(member: Membership, *, limit: int = 20) -> list[Draft]:
    """What `member` had entered when a lease was lost, newest first: one for a region, until it is answered."""
    rows = _waiting_drafts(member.pk).select_related("assignment__region")
    newest = {draft.assignment.region_id: draft for draft in reversed(rows[: 4 * limit])}
    return sorted(newest.values(), key=lambda draft: -draft.pk)[:limit]


def _waiting_drafts(member_id: int) -> QuerySet[Draft]:
    """Drafts of the last days whose author has not answered the region since."""
    answered = Annotation.objects.filter(
        region=OuterRef("assignment__region"), annotator=member_id, created_at__gt=OuterRef("saved_at")
    )
    recent = Draft.objects.filter(assignment__annotator=member_id, saved_at__gt=clock.now() - DRAFTS_SHOWN_FOR)
    return recent.filter(~Exists(answered))


def own_answers(member: Membership) -> QuerySet[Annotation]:
    """Everything `member` has answered, corrections and withdrawals included."""
    return Annotation.objects.filter(annotator=member).select_related("region", "personal_text")


def opinions(assignment: Assignment) -> list[Opinion]:
    """The standing answers an adjudicator judges between, without names.

    The order hangs on the lease's token: the same each time it is looked at, different from region to region,
    so that a letter does not become a person.
    """
    if assignment.pick_id is None:
        return _said_blind(assignment)
    given = {one.pseudonym: one for one in truth.opinions_on(assignment.region, study=assignment.study)}
    words = PersonalText.objects.filter(annotation__in=[one.annotation_id for one in given.values()], erased_at=None)
    comments = dict(words.values_list("annotation_id", "text"))
    shuffled = sorted(given, key=lambda name: hashlib.sha256(f"{assignment.token} {name}".encode()).digest())
    return [
        Opinion(
            name=letter(place),
            answer={"kind": AnswerKind.CLASS.value, "label": given[name].label},
            comment=comments.get(given[name].annotation_id, ""),
            is_flagged=given[name].is_flagged,
        )
        for place, name in enumerate(shuffled)
    ]


def _said_blind(assignment: Assignment) -> list[Opinion]:
    """The classes between which an acceptance sample's adjudicator decides, the label that stands among them.

    Each class once: how many said it, and which of them stands, must not sway the verdict.
    """
    codes = acceptance.in_question(study=assignment.study, region=assignment.region)
    shuffled = sorted(codes, key=lambda code: hashlib.sha256(f"{assignment.token} {code}".encode()).digest())
    kind = AnswerKind.CLASS.value
    return [
        Opinion(name=letter(place), answer={"kind": kind, "label": code}, comment="", is_flagged=False)
        for place, code in enumerate(shuffled)
    ]


def letter(place: int) -> str:
    """A, B, ... Z, A1, B1, ..."""
    turn, position = divmod(place, len(ascii_uppercase))
    return ascii_uppercase[position] + (str(turn) if turn else "")


def comment_of(annotation: Annotation) -> str:
    """The words of the comment, or nothing where there were none or they were erased."""
    text = getattr(annotation, "personal_text", None)
    return "" if text is None or text.erased_at else text.text
