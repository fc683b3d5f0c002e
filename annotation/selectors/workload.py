"""What lies before one annotator: how much there may be, what came back, what was skipped, what can be undone.

Decides what of the queue a person may know. Everything here is counted from the person's own rows and from what was
drawn or written for everybody: how many opinions a region has, who holds it and whether it is settled is never
looked at, so that nothing changes when somebody else answers. The one exception is unavoidable: when there is nothing
to ask, the person notices.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db.models import Exists, OuterRef, QuerySet

from annotation import clock
from annotation.models import Annotation, Assignment, Membership, Pick, SelectionBatch, Study
from annotation.selectors import qualification
from annotation.services.queue import claiming
from annotation.states import SLOT_KINDS, AnswerKind, AssignmentKind, AssignmentState, Role, Stratum, StudyState

PACE_FROM_ANSWERS = 50
RETURNED_FOR = timedelta(days=14)
_DONE = (AssignmentState.SUBMITTED, AssignmentState.SKIPPED)
_WORKERS = (Role.ANNOTATOR, Role.ADJUDICATOR)


@dataclass(frozen=True, slots=True)
class Remaining:
    """Regions of the newest batch this person may still be asked: an equal share at least, all of them at most."""

    low: int
    high: int
    seconds_each: float | None


@dataclass(frozen=True, slots=True)
class Undoable:
    """The last answer, while it can be taken back: under which token, of which region, until when."""

    token: str
    region: str
    label: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Empty:
    """Why there is nothing to do, as a word for programs and a sentence with what happens next."""

    code: str
    message: str


_EMPTY = {
    "draft": "This study has not been opened yet. Its managers open it when the slides and classes are ready.",
    "closed": "This study is closed: no work is handed out any more. Thank you for your answers.",
    "draining": "This study is being finished: what was begun is completed, and nothing of it waits for you.",
    "preparing": "The first regions are being chosen. That takes a few minutes after a study is opened.",
    "failed": "You have finished the entry test, and fewer answers were right than this study asks for. "
    "Its managers have been told: they can let you try again. The guideline is open to you meanwhile.",
    "untested": "This study begins with an entry test, and it has no regions for it yet. Its managers have been told.",
    "done": "You have answered everything that can be asked of you now. More comes when the next regions are chosen.",
}


def remaining(*, study: Study, member: Membership) -> Remaining:
    """How many regions of the newest batch may still come, and the person's own pace.

    The batch's size, the policy, the number of members and the own rows are all that counts. An estimate from open
    slots would be sharper, and would tell each time that somebody else has answered. All that the person has done
    since the batch was drawn counts alike: by a number that stands still, gold, repeats and rechecks would be known.
    """
    batch = SelectionBatch.objects.filter(study=study).exclude(strategy="recheck").order_by("-number").first()
    if batch is None:
        return Remaining(low=0, high=0, seconds_each=pace(member))
    size = Pick.objects.filter(batch=batch).count()
    done = Assignment.objects.filter(annotator=member, state__in=_DONE, closed_at__gte=batch.created_at)
    own = done.exclude(kind=AssignmentKind.ADJUDICATE).count()
    people = Membership.objects.filter(study=study, is_active=True, role__in=_WORKERS).count()
    policy = study.policy
    opinions = policy.fixed_overlap or policy.min_overlap
    share = math.ceil(size * min(opinions, people) / max(people, 1))
    return Remaining(low=max(share - own, 0), high=max(size - own, 0), seconds_each=pace(member))


def pace(member: Membership) -> float | None:
    """Seconds the person takes for a region: the median of the last answers; None before the first."""
    times = Annotation.objects.filter(annotator=member, seconds__isnull=False).order_by("-id")
    found = [seconds for seconds in times.values_list("seconds", flat=True)[:PACE_FROM_ANSWERS] if seconds is not None]
    return round(median(found), 1) if found else None


def skipped(member: Membership, *, limit: int = 20) -> QuerySet[Assignment]:
    """The regions this person skipped, with the reasons, newest first."""
    rows = Assignment.objects.filter(annotator=member, state=AssignmentState.SKIPPED)
    return rows.select_related("region__slide").order_by("-id")[:limit]


def returned(member: Membership, *, limit: int = 20) -> QuerySet[Pick]:
    """Regions this person answered that a manager sent back with a note, and that he or she has not answered since.

    Whether others have answered them again makes no difference here.
    """
    before = Annotation.objects.filter(
        region=OuterRef("region"),
        annotator=member,
        assignment_kind__in=SLOT_KINDS,
        kind=AnswerKind.CLASS,
        created_at__lt=OuterRef("batch__created_at"),
    )
    since = Assignment.objects.filter(pick=OuterRef("pk"), annotator=member, state__in=_DONE)
    sent_back = Pick.objects.filter(study=member.study_id, stratum=Stratum.RECHECK).exclude(note="")
    sent_back = sent_back.filter(batch__created_at__gt=clock.now() - RETURNED_FOR)
    rows = sent_back.filter(Exists(before), ~Exists(since))
    return rows.select_related("region__slide", "batch").order_by("-id")[:limit]


def undoable(*, study: Study, member: Membership) -> Undoable | None:
    """The newest own answer that may still be taken back."""
    since = clock.now() - timedelta(minutes=study.policy.undo_minutes)
    again = Assignment.objects.filter(region=OuterRef("region"), annotator=member, state=AssignmentState.LEASED)
    rows = Annotation.objects.filter(annotator=member, created_at__gte=since, corrections__isnull=True)
    rows = rows.filter(assignment__state=AssignmentState.SUBMITTED).exclude(kind=AnswerKind.WITHDRAWN)
    last = rows.filter(~Exists(again)).select_related("assignment", "region").order_by("-id").first()
    if last is None:
        return None
    until = last.created_at + timedelta(minutes=study.policy.undo_minutes)
    return Undoable(token=last.assignment.token, region=last.region.public_id, label=last.label, until=until)


def reason_empty(*, study: Study, member: Membership) -> Empty | None:
    """Why a claim would give nothing; None while there is something. To be asked of those who hold no lease."""
    if study.state in (StudyState.DRAFT, StudyState.CLOSED):
        return _empty(study.state)
    if claiming.is_anything_left(member=member):
        return None
    test = qualification.seen_by(study=study, member=member)
    if test is not None and test.state != "passed":
        return _empty("failed" if test.state == "failed" else "untested")
    if study.state == StudyState.DRAINING:
        return _empty("draining")
    return _empty("done" if study.batches.exists() else "preparing")


def _empty(code: str) -> Empty:
    return Empty(code=code, message=_EMPTY[code])
