"""The people of a simulated study: annotators, two adjudicators and a manager.

Decides who they are and how good; refuses to know how they reach the queue.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from django.contrib.auth import get_user_model
from django.db import transaction

from annotation.models import LabelClass, Membership, Study
from annotation.services import studies
from annotation.states import Role
from workers.simulation import oracle
from workers.simulation.annotators import Annotator, Habits, Response

ADJUDICATORS = 2
"""Nobody judges a region twice, so a region that is questioned again needs another one."""
ADJUDICATOR_SKILL = 0.97


class Mind(Protocol):
    """What decides an answer. `is_spent`: there is nothing left that this person could answer."""

    @property
    def is_spent(self) -> bool: ...

    def answer(self, *, token: str, region: str, count: int) -> Response: ...


@dataclass(frozen=True, slots=True)
class Scripted:
    """Looks at the leased region's truth and answers as the annotator's habits have it; never tires."""

    annotator: Annotator
    is_spent: bool = False

    def answer(self, *, token: str, region: str, count: int) -> Response:
        """What the annotator says, who answered this region `count` times before."""
        known = oracle.reveal(token=token)
        return self.annotator.respond(
            truth=known.label,
            borderline=known.borderline,
            region=region,
            count=count,
            suggestion=oracle.read_suggestion(token=token),
        )


@dataclass(frozen=True, slots=True)
class Person:
    """A member and the mind behind it."""

    member: Membership
    mind: Mind


@dataclass(frozen=True, slots=True)
class Crew:
    """All scripted people of a study."""

    annotators: list[Person]
    adjudicators: list[Person]
    manager: Membership


@transaction.atomic
def hire(*, study: Study, annotators: int, habits: Habits, seed: int, prefix: str = "") -> Crew:
    """Make users and memberships for `annotators` people of `habits`; users are named after `prefix`.

    The same study and numbers give the same people again.
    """
    prefix = prefix or f"sim-{study.slug}"
    expert = replace(
        habits,
        skill=max(habits.skill, ADJUDICATOR_SKILL),
        borderline_error=habits.borderline_error / 4,
        special_rate=habits.special_rate / 10,
        skip_rate=0.0,
        undo_rate=0.0,
    )
    codes, specials = _classes(study)

    def person(name: str, role: Role, index: int, how: Habits) -> Person:
        mind = Annotator(codes=codes, specials=specials, habits=how, seed=seed, index=index)
        return Person(join(study, f"{prefix}-{name}", role), Scripted(mind))

    workers = [person(f"annotator-{n}", Role.ANNOTATOR, n, habits) for n in range(1, annotators + 1)]
    judges = [person(f"adjudicator-{n}", Role.ADJUDICATOR, 10_000 + n, expert) for n in range(1, ADJUDICATORS + 1)]
    return Crew(workers, judges, join(study, f"{prefix}-manager", Role.MANAGER))


def join(study: Study, name: str, role: Role) -> Membership:
    """The membership of the user `name`, who is made where there is none."""
    users = get_user_model()
    user = users.objects.filter(username=name).first()
    if user is None:
        user = users.objects.create_user(name)
    return studies.add_member(study=study, user=user, role=role)


def _classes(study: Study) -> tuple[Sequence[str], Sequence[str]]:
    rows = list(LabelClass.objects.filter(protocol=study.protocol_id).order_by("position", "code"))
    return [row.code for row in rows if not row.is_special], [row.code for row in rows if row.is_special]
