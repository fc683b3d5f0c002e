"""Who works in a simulation: people in virtual time, or threads on real time; and what they say as they get on.

Decides between the two and what a line of progress tells; refuses to know who the people are.
"""

from collections.abc import Callable
from typing import Any

from annotation.models import Pick, Study
from annotation.states import PickState
from workers.simulation import measures, report
from workers.simulation.crew import Crew
from workers.simulation.crowd import Crowd
from workers.simulation.lockstep import Lockstep
from workers.simulation.work import ThroughServices

Told = Callable[[str], None]


def hire_hands(*, study: Study, crew: Crew, is_lockstep: bool, curve: report.Curve, told: Told) -> Lockstep | Crowd:
    """The crew at work on `study`; each point of `curve` is told as a line."""
    hands: Lockstep | Crowd

    def look() -> None:
        if curve.look(hands.answers):
            told(describe(study, curve.points[-1]))

    if is_lockstep:
        hands = Lockstep(study=study, crew=crew, told=look)
    else:
        hands = Crowd(study=study, crew=crew, workplace=ThroughServices(), told=look)
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
