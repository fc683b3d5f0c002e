"""One simulation from a study to a report: copy, people, labelling, closing.

Decides the order; refuses to know the command line.
"""

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from annotation import clock
from annotation.models import Pick, Study
from annotation.states import PickState
from workers.simulation import closing, measures, report, sandbox
from workers.simulation.annotators import Habits
from workers.simulation.crew import Crew, hire
from workers.simulation.crowd import Crowd
from workers.simulation.lockstep import START, Lockstep
from workers.simulation.work import ThroughServices

CURVE_POINTS = 30
Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to simulate. `policy` overrides the study's; `answers` None: until nothing is left."""

    annotators: int = 5
    habits: Habits = field(default_factory=Habits)
    seed: int = 0
    is_lockstep: bool = False
    answers: int | None = None
    policy: dict[str, Any] = field(default_factory=dict)


def run(*, study: Study, plan: Plan, told: Told) -> dict[str, Any]:
    """Simulate `plan` on a copy of `study` and return the report."""
    started = time.monotonic()
    slug = sandbox.free_slug(f"{study.slug}-sim")
    with clock.virtual(START) if plan.is_lockstep else nullcontext():
        copy = sandbox.copy_study(study=study, slug=slug, seed=plan.seed, policy=plan.policy)
        crew = hire(study=copy, annotators=plan.annotators, habits=plan.habits, seed=plan.seed)
        copy = sandbox.start(copy)
        told(f"Simulating on the copy '{slug}' with {plan.annotators} annotators, seed {plan.seed}.")
        curve = report.Curve(copy, every=_spacing(copy, plan))
        hands = _hands(copy, crew, plan, curve, told)
        hands.run_jobs()
        hands.label(until=plan.answers)
        closed = closing.close_study(study=copy, manager=crew.manager, hands=hands, told=told)
        copy.refresh_from_db()
        return report.build(
            study=copy, curve=curve, closed=closed, seed=plan.seed, wall_seconds=time.monotonic() - started
        )


def _hands(copy: Study, crew: Crew, plan: Plan, curve: report.Curve, told: Told) -> Lockstep | Crowd:
    def look() -> None:
        if curve.look(hands.answers):
            told(describe(copy, curve.points[-1]))

    hands: Lockstep | Crowd
    if plan.is_lockstep:
        hands = Lockstep(study=copy, crew=crew, told=look)
        return hands
    hands = Crowd(study=copy, crew=crew, workplace=ThroughServices(), told=look)
    return hands


def describe(study: Study, point: dict[str, Any]) -> str:
    """A point of the curve as a line."""
    accuracy = point["truth_accuracy"]
    right = "" if accuracy is None else f", {accuracy:.1%} of them right"
    model = f"model {point['model_version']}" if point["model_version"] else "no model yet"
    waiting = Pick.objects.filter(study=study, state=PickState.OPEN).count()
    promoted = measures.count_promoted(study)
    return (
        f"{point['answers']:,} answers, {point['settled']:,} settled{right}; {model}, {promoted} promoted; "
        f"{waiting} picks open."
    )


def _spacing(copy: Study, plan: Plan) -> int:
    regions = copy.regions.count()
    expected = plan.answers or regions * max(copy.policy.fixed_overlap, copy.policy.min_overlap)
    return max(25, expected // CURVE_POINTS)
