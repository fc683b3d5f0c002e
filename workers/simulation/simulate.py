"""One simulation from a study to a report: copy, people, labelling, closing.

Decides the order; refuses to know the command line.
"""

import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from annotation import clock
from annotation.models import Study
from workers.simulation import closing, report, sandbox
from workers.simulation.annotators import Habits
from workers.simulation.crew import hire
from workers.simulation.hands import Told, hire_hands
from workers.simulation.lockstep import START

CURVE_POINTS = 30


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
        hands = hire_hands(study=copy, crew=crew, is_lockstep=plan.is_lockstep, curve=curve, told=told)
        hands.run_jobs()
        hands.label(until=plan.answers)
        closed = closing.close_study(study=copy, manager=crew.manager, hands=hands, told=told)
        copy.refresh_from_db()
        return report.build(
            study=copy, curve=curve, closed=closed, seed=plan.seed, wall_seconds=time.monotonic() - started
        )


def _spacing(copy: Study, plan: Plan) -> int:
    regions = copy.regions.count()
    expected = plan.answers or regions * max(copy.policy.fixed_overlap, copy.policy.min_overlap)
    return max(25, expected // CURVE_POINTS)
