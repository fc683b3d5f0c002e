"""One scripted person doing one piece of work through the services: claim, look, answer.

Decides the order of calls; refuses to know time and threads.
"""

from dataclasses import dataclass

from annotation.models import Annotation, Assignment
from annotation.services import queue
from annotation.states import AnswerKind
from workers.simulation import oracle
from workers.simulation.annotators import Response
from workers.simulation.crew import Person


@dataclass(frozen=True, slots=True)
class Task:
    """A lease and what its holder will do with it."""

    assignment: Assignment
    response: Response
    key: str


def take(person: Person, *, kind: str = "label") -> Task | None:
    """Claim the next region and think about it; None when nothing is left for this person."""
    assignment = queue.claim(member=person.member, kind=kind)
    if assignment is None:
        return None
    known = oracle.reveal(token=assignment.token)
    rows = Annotation.objects.filter(region=assignment.region_id, annotator=person.member)
    count = rows.exclude(kind=AnswerKind.WITHDRAWN).count()
    region = assignment.region.public_id
    response = person.mind.respond(truth=known.label, borderline=known.borderline, region=region, count=count)
    return Task(assignment, response, key=f"{region}-{rows.count()}")


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
    )
    return True
