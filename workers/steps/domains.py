"""Hold the slides of each domain against what the active model has learned from, and write down what was found.

Decides nothing: `learning.domains` judges, `annotation.services.modelling` writes. Nothing waits for it.
"""

from typing import Any

from annotation import canonical
from annotation.models import Job, ModelVersion
from annotation.services import modelling
from learning.domains.shift import Comparison
from learning.domains.watch import Finding, watch
from workers import files
from workers.domains import read_units
from workers.progress import Progress

_PLACES = 6


def run(job: Job, report: Progress) -> dict[str, Any]:
    """Look at every domain under the model that the payload names; what an earlier look found is replaced."""
    model = ModelVersion.objects.select_related("study", "training_set").get(
        study=job.study, number=job.payload["model"]
    )
    seed = files.seed_of(job.study, files.DOMAINS, model.number)
    slides = model.score_files.count()
    units = read_units(model, seed=seed, report=report)
    found = watch(units, seed=seed, told=report) if units.domains else {}
    with report.fenced():
        modelling.record_domains(
            model=model, slides=slides, found={name: describe(finding) for name, finding in found.items()}
        )
    return {"model": model.number, "slides": slides, "verdicts": {name: one.verdict for name, one in found.items()}}


def describe(finding: Finding) -> dict[str, Any]:
    """A finding as it is stored."""
    return {
        "verdict": finding.verdict.value,
        "cases": finding.cases,
        "learned_cases": finding.learned_cases,
        "regions": finding.regions,
        "trained": finding.trained,
        "nearest": finding.nearest,
        "apart": _describe(finding.apart),
        "classes": _describe(finding.classes),
        "stability_index": canonical.rounded(finding.stability_index, _PLACES) if finding.classes else None,
        "disagreement": _describe(finding.disagreement),
        "usual_level": canonical.rounded(finding.usual_level, _PLACES) if finding.disagreement else None,
    }


def _describe(one: Comparison | None) -> dict[str, Any] | None:
    if one is None:
        return None
    numbers = {name: getattr(one, name) for name in ("value", "usual", "p", "low", "high")}
    rounded = {name: canonical.rounded(value, _PLACES) for name, value in numbers.items() if value == value}
    return {**rounded, "cases": one.cases, "known_cases": one.known_cases}
