"""One scripted person doing one piece of work through the services: claim, look, answer.

Decides the order of calls; refuses to know time and threads.
"""

import time
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from django.db.models import F, Q, Sum

from annotation.errors import LeaseLost, TryAgain
from annotation.models import Annotation, Assignment, Pick, Study
from annotation.services import queue
from annotation.states import WITHDRAWABLE_STRATA, AnswerKind, AssignmentKind, PickState
from workers.simulation.annotators import Response
from workers.simulation.crew import Person


class Outcome(Enum):
    """What came of one piece of work."""

    ANSWERED = "answered"
    PASSED = "passed on: skipped, lost, or everything was locked"
    NOTHING = "nothing was to be had"


class Workplace(Protocol):
    """Where people reach the queue. Called from one thread for each person."""

    def work_once(self, person: Person, *, kind: str) -> Outcome: ...


@dataclass(frozen=True, slots=True)
class Task:
    """A lease and what its holder will do with it."""

    assignment: Assignment
    response: Response
    key: str


def take(person: Person, *, kind: str = "label") -> Task | None:
    """Claim the next region and think about it; None when nothing is left for this person."""
    if person.mind.is_spent:
        return None
    assignment = queue.claim(member=person.member, kind=kind)
    if assignment is None:
        return None
    rows = Annotation.objects.filter(region=assignment.region_id, annotator=person.member)
    kinds = list(rows.order_by().values_list("kind", flat=True))
    count = sum(kind != AnswerKind.WITHDRAWN for kind in kinds)
    region = assignment.region.public_id
    response = person.mind.answer(token=assignment.token, region=region, count=count)
    return Task(assignment, response, key=f"{region}-{len(kinds)}")


def finish(person: Person, task: Task) -> bool:
    """Skip or answer the region; whether an answer was given."""
    token = task.assignment.token
    if task.response.skips:
        queue.skip(member=person.member, token=token, reason="Out of focus.")
        return False
    queue.submit(
        member=person.member,
        token=token,
        answer={"kind": "class", "label": task.response.label},
        idempotency_key=task.key,
        seconds=task.response.seconds,
        reason=reason_for(task.assignment.kind),
    )
    return True


def reason_for(kind: str) -> str:
    """What a scripted adjudicator gives as the reason; everybody else gives none."""
    return "Judged by the picture." if kind == AssignmentKind.ADJUDICATE else ""


def count_owed(study: Study) -> int:
    """Answers that draining will still ask for: open slots of picks that were begun or are never withdrawn."""
    unclaimed = Q(stratum__in=WITHDRAWABLE_STRATA, has_begun=False, skips=0, slots_open=F("slots_granted"))
    picks = Pick.objects.filter(study=study, state=PickState.OPEN).exclude(unclaimed)
    return int(picks.aggregate(owed=Sum("slots_open"))["owed"] or 0)


@dataclass(frozen=True, slots=True)
class ThroughServices:
    """People in this process, `pace` times their simulated seconds slow."""

    pace: float = 0.0

    def work_once(self, person: Person, *, kind: str) -> Outcome:
        """Claim and answer one region."""
        try:
            task = take(person, kind=kind)
            if task is None:
                return Outcome.NOTHING
            time.sleep(task.response.seconds * self.pace)
            return Outcome.ANSWERED if finish(person, task) else Outcome.PASSED
        except (TryAgain, LeaseLost):
            return Outcome.PASSED
