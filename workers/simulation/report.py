"""The report of a simulated study, as JSON.

Decides its keys; refuses to measure anything that `measures` does not.
"""

import json
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from annotation.models import Pick, SelectionBatch, Study
from annotation.states import PickState
from workers.simulation import measures
from workers.simulation.closing import Closed


@dataclass(slots=True)
class Curve:
    """The learning curve: a point each `every` answers and one at the end."""

    study: Study
    every: int
    points: list[dict[str, Any]] = field(default_factory=list)
    _next: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self, answers: int) -> bool:
        """Measure a point if enough answers were given since the last; safe for threads. Whether one was added."""
        with self._lock:
            if answers < self._next:
                return False
            self.points.append(measures.measure_point(self.study))
            self._next = answers + self.every
            return True

    def close(self) -> None:
        """Measure the last point."""
        point = measures.measure_point(self.study)
        if not self.points or self.points[-1] != point:
            self.points.append(point)


def build(*, study: Study, curve: Curve, closed: Closed, seed: int, wall_seconds: float) -> dict[str, Any]:
    """The whole report. `promoted` counts the models after the first that became active."""
    curve.close()
    answers, settled = measures.count_answers(study), measures.count_settled(study)
    models = measures.describe_models(study)
    return {
        "study": study.slug,
        "answers": answers,
        "regions_settled": settled,
        "answers_per_settled": round(answers / settled, 4) if settled else None,
        **measures.measure_truth(study),
        "overlap": measures.measure_overlap(study),
        "models": len(models),
        "promoted": measures.count_promoted(study),
        "model_versions": models,
        "batches": SelectionBatch.objects.filter(study=study).count(),
        "picks_open": Pick.objects.filter(study=study, state__in=[PickState.OPEN, PickState.ADJUDICATION]).count(),
        "curve": curve.points,
        "findings": measures.count_findings(study),
        "passes": closed.rounds,
        "release_digest": closed.release.manifest_digest if closed.release else None,
        "release_verified": closed.is_verified,
        "problems": closed.problems,
        "jobs_failed": measures.describe_failed_jobs(study),
        "wall_seconds": round(wall_seconds, 2),
        "policy": study.policy.to_json(),
        "seed": seed,
    }


def write(report: dict[str, Any], path: Path) -> None:
    """Write `report` to `path`, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(report, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    os.replace(part, path)
