"""Begun regions always first, or by gain: the same people, regions and seeds under both, through the real queue.

Decides the study, the people and the budgets; refuses to know how gains come about. Both policies of a seed run in one
process, in virtual time, and are compared at equal answers; adjudicators do not work, so that ties count as unsettled.
Runs in a process of its own, as pytest holds Django's connections.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from scipy import stats

from tests.benchmarks import apart

DATABASE = "bench_who_answers"
SECRET = "5a" * 32
SEEDS = int(os.environ.get("CONCORD_BENCH_SEEDS", "6"))
CASES, CELLS = 12, 40
BUDGETS = (200, 350, 500)
SKILL, PEOPLE = 0.75, 6
POLICY: dict[str, Any] = {
    "batch_size": 40, "first_model_revisions": 40, "retrain_every_revisions": 60, "refit_every_answers": 100,
    "audit_rate": 0.2, "default_quota": 0,
}  # fmt: skip
COMPARED = ("settled", "right", "truth_accuracy", "truth_macro_f1")


def measure_who_answers() -> dict[str, Any]:
    """For each budget of answers: each policy's means over the seeds, and the paired difference with a 95% interval.

    `right` counts settled regions whose label is the truth: neither leaving hard ones aside nor settling wrongly helps.
    """
    return apart.measure("tests.benchmarks.who_answers")


def main() -> None:
    """Draw the study into a database of its own, measure, and print what was found."""
    with apart.own_database(DATABASE):
        print(json.dumps(_measure()))


class _EnoughError(Exception):
    """The last budget is spent."""


def _measure() -> dict[str, Any]:
    start, cpu = time.perf_counter(), time.process_time()
    study = _draw()
    runs: dict[str, list[list[dict[str, float]]]] = {"always": [], "by-gain": []}
    for seed in range(SEEDS):
        for name, found in runs.items():
            found.append(_run(study, opinions_first=name, seed=seed))
        last = {name: found[-1] for name, found in runs.items()}
        print(f"seed {seed}: {time.perf_counter() - start:.0f} s {json.dumps(last)}", file=sys.stderr, flush=True)
    result: dict[str, Any] = {"seeds": SEEDS, "regions": CASES * CELLS, "people": PEOPLE, "skill": SKILL}
    for place, budget in enumerate(BUDGETS):
        points = {name: [run[place] for run in found] for name, found in runs.items()}
        result[f"at_{budget}"] = {
            **{name: _average(rows) for name, rows in points.items()},
            "difference": {key: _compare(points["by-gain"], points["always"], key) for key in COMPARED},
        }
    last = result[f"at_{BUDGETS[-1]}"]["difference"]
    result["holds"] = all(last[key]["high"] >= 0 for key in COMPARED)
    result["wall_seconds"] = round(time.perf_counter() - start, 1)
    result["cpu_seconds"] = round(time.process_time() - cpu, 1)
    return result


def _draw() -> Any:
    """A synthetic smear with features, which all copies share."""
    from annotation import clock
    from annotation.models import Study
    from annotation.services import imports
    from annotation.states import Role
    from learning.slides.synthetic.study import write_study
    from workers.simulation import sandbox
    from workers.simulation.crew import Crew, join
    from workers.simulation.lockstep import START, Lockstep

    with tempfile.TemporaryDirectory() as folder:
        drawn = write_study(Path(folder) / "study", seed=7, cases=CASES, cells_per_slide=CELLS)
        with mock.patch.object(Study._meta.get_field("secret"), "_get_default", lambda: SECRET):
            study: Any = imports.import_folder(drawn, slug="who").study
    with clock.virtual(START):
        study = sandbox.start(study)
        Lockstep(study=study, crew=Crew([], [], join(study, "manager", Role.MANAGER))).run_jobs()
    return study


def _run(study: Any, *, opinions_first: str, seed: int) -> list[dict[str, float]]:
    """One policy under one seed: a point at each budget."""
    from annotation import clock
    from workers.simulation import sandbox
    from workers.simulation.annotators import Habits
    from workers.simulation.crew import hire
    from workers.simulation.lockstep import START, Lockstep

    points: list[dict[str, float]] = []

    def look() -> None:
        if len(points) < len(BUDGETS) and hands.answers >= BUDGETS[len(points)]:
            points.append(_look(copy))
            if len(points) == len(BUDGETS):
                raise _EnoughError

    with clock.virtual(START):
        policy = {**POLICY, "opinions_first": opinions_first}
        copy = sandbox.copy_study(study=study, slug=f"who-{opinions_first}-{seed}", seed=seed, policy=policy)
        crew = hire(study=copy, annotators=PEOPLE, habits=Habits(skill=SKILL), seed=seed)
        copy = sandbox.start(copy)
        hands = Lockstep(study=copy, crew=crew, told=look)
        try:
            hands.label()
        except _EnoughError:
            return points
    raise RuntimeError(f"The study ended after {hands.answers} answers; the budgets go to {BUDGETS[-1]}.")


def _look(copy: Any) -> dict[str, float]:
    from annotation.models import Pick
    from annotation.states import PickState
    from workers.simulation import measures

    truth = measures.measure_truth(copy)
    settled = measures.count_settled(copy)
    rows = Pick.objects.filter(study=copy)
    return {
        "settled": settled,
        "right": round(settled * truth["truth_accuracy"]),
        "truth_accuracy": truth["truth_accuracy"],
        "truth_macro_f1": truth["truth_macro_f1"],
        "ties": rows.filter(state=PickState.ADJUDICATION).count(),
        "waiting": rows.filter(state=PickState.OPEN, is_deferred=True).count(),
    }


def _average(rows: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(float(np.mean([row[key] for row in rows])), 4) for key in rows[0]}


def _compare(ours: list[dict[str, float]], theirs: list[dict[str, float]], key: str) -> dict[str, float]:
    """The mean paired difference and Student's 95% interval."""
    gaps = np.array([one[key] - other[key] for one, other in zip(ours, theirs, strict=True)])
    half = float(stats.t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / np.sqrt(len(gaps)))
    mean = float(gaps.mean())
    return {"mean": round(mean, 4), "low": round(mean - half, 4), "high": round(mean + half, 4)}


if __name__ == "__main__":
    main()
