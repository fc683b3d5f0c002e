"""One arm of the loop: a sample of real fields, scripted people who label all of it, and what came of it.

Decides which fields a sample is, who works, and what counts as an answer: every row that a person wrote, corrections
included. Refuses to know policies and how arms are compared.
"""

import csv
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from annotation import clock
from annotation.models import Annotation, KnownTruth, Region, Study
from annotation.services import imports
from annotation.services import studies as study_services
from annotation.states import AnswerKind, AssignmentKind, RegionState, Role
from tests import studies
from tests.benchmarks.reviewing import find_source
from workers.simulation import closing, measures, sandbox
from workers.simulation.annotators import Habits
from workers.simulation.crew import Crew, hire, join
from workers.simulation.lockstep import START, Lockstep

HABITS = Habits(skill=0.85)
PEOPLE = 5
SECRET = "5a" * 32
"""Names the regions, and the names draw planted checks and errors: the same ones on every run."""
CACHE = Path("var/loop")


def cut_sample(kind: str, out: Path, *, first: int, step: int, count: int | None = None) -> Path:
    """Write a study folder of whole fields: of all in the order of their numbers each `step`-th from `first` on."""
    whole = CACHE / kind
    if not whole.is_dir():
        source = find_source(kind)
        assert source is not None
        whole.parent.mkdir(parents=True, exist_ok=True)
        studies.CONVERTERS[kind](source, whole)
    slides, regions, truth = (_read(whole / f"{name}.csv") for name in ("slides", "regions", "truth"))
    cases = sorted({row["case"] for row in slides}, key=lambda case: int(case.split("-")[1]))
    kept = set(cases[first::step][:count])
    labelled = {row["slide"] for row in regions}
    slides = [row for row in slides if row["case"] in kept and row["path"] in labelled]
    paths = {row["path"] for row in slides}
    regions = [row for row in regions if row["slide"] in paths]
    names = {row["id"] for row in regions}
    (out / "slides").mkdir(parents=True)
    shutil.copyfile(whole / "study.toml", out / "study.toml")
    for path in paths:
        shutil.copyfile(whole / path, out / path)
    for name, rows in (("slides", slides), ("regions", regions)):
        _write(out / f"{name}.csv", rows)
    _write(out / "truth.csv", [row for row in truth if row["region"] in names])
    return out


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, rows: Sequence[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def make_study(folder: Path, *, slug: str) -> Study:
    """The sample, imported and with features; the arms' copies share them."""
    with mock.patch.object(Study._meta.get_field("secret"), "_get_default", lambda: SECRET):
        study = imports.import_folder(folder, slug=slug).study
    assert study is not None
    with clock.virtual(START):
        study = sandbox.start(study)
        manager = join(study, f"{slug}-manager", Role.MANAGER)
        Lockstep(study=study, crew=Crew([], [], manager)).run_jobs()
    return study


def run(study: Study, *, slug: str, seed: int, policy: dict[str, Any]) -> dict[str, Any]:
    """Label the whole pool under `policy`, as `simulate --lockstep` does: what stands when nothing is open any more
    (`labelled`), and after the passes, when the release is cut (`released`)."""
    wall, cpu = time.perf_counter(), time.process_time()
    with clock.virtual(START):
        copy = sandbox.copy_study(study=study, slug=slug, seed=seed, policy=policy)
        crew = hire(study=copy, annotators=PEOPLE, habits=HABITS, seed=seed)
        copy = sandbox.start(copy)
        hands = Lockstep(study=copy, crew=crew)
        hands.run_jobs()
        hands.label()
        study_services.drain(study=copy)
        closing.finish_begun(study=copy, hands=hands)
        labelled = measure(copy)
        spent = time.perf_counter() - wall, time.process_time() - cpu
        lines: list[str] = []
        closed = closing.close_study(study=copy, manager=crew.manager, hands=hands, told=lines.append)
        failed = [one["error"] for one in measures.describe_failed_jobs(copy)]
        if not closed.is_verified or failed:
            raise RuntimeError(" ".join([*lines, *closed.problems, *failed]))
        return {
            "labelled": labelled,
            "released": measure(copy),
            "wall_seconds": round(spent[0], 1),
            "cpu_seconds": round(spent[1], 1),
            "release_wall_seconds": round(time.perf_counter() - wall - spent[0], 1),
        }


def measure(study: Study) -> dict[str, Any]:
    """Answers, those of adjudicators among them, and the truth against what is known.

    A region that is not settled counts as wrong; one that a pass merged into its double is left out.
    """
    rows = Annotation.objects.filter(study=study)
    kinds = Counter(rows.values_list("assignment_kind", flat=True))
    truth = KnownTruth.objects.filter(region__study=study).exclude(region__state=RegionState.EXCLUDED)
    known = dict(truth.values_list("region_id", "label"))
    settled = Region.objects.filter(study=study, state=RegionState.SETTLED, current_revision__is_settled=True)
    found = dict(settled.values_list("pk", "current_revision__label"))
    recall, f1 = _score(known, found)
    return {
        "answers": sum(kinds.values()),
        "adjudications": kinds[AssignmentKind.ADJUDICATE],
        "rechecks": kinds[AssignmentKind.RECHECK],
        "taken_back": rows.filter(kind=AnswerKind.WITHDRAWN).count(),
        "settled": len(found),
        "macro_f1": round(f1, 4),
        "recall": recall,
        "models": len(measures.describe_models(study)),
    }


def _score(known: dict[int, str], found: dict[int, str]) -> tuple[dict[str, float], float]:
    """Recall of each class that occurs, and the mean of their F1."""
    of, said = Counter(known.values()), Counter(found.values())
    hits = Counter(label for region, label in known.items() if found.get(region) == label)
    recall = {code: round(hits[code] / count, 4) for code, count in sorted(of.items())}
    return recall, sum(2 * hits[code] / (count + said[code]) for code, count in of.items()) / len(of)
