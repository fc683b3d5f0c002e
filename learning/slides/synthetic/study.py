"""Writing a study folder of synthetic smears: slides, regions, truth and protocol.

Decides cases, labs and the folder's files; refuses to know how cells are drawn. One seed gives the same
bytes, with any number of processes.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from learning.slides.synthetic import smear, writer
from learning.slides.synthetic.catalogue import CELL_CLASSES, CLASSES, POLICY
from learning.slides.synthetic.labs import LABS
from learning.slides.synthetic.protocol import describe_study

# Cases differ in their blood counts as patients do: the smaller, the more.
_CASE_CONCENTRATION = 14.0


@dataclass(frozen=True, kw_only=True)
class Job:
    """One slide to be made; everything a process needs to make it."""

    path: Path
    case: int
    lab: int
    seed: tuple[int, ...]
    cells: int
    edge: int


def write_study(
    folder: str | Path,
    *,
    seed: int = 0,
    cases: int = 48,
    slides_per_case: int = 1,
    cells_per_slide: int = 25,
    edge: int = 96,
    processes: int = 2,
) -> Path:
    """Write study.toml, slides.csv, regions.csv, truth.csv and slides/ into a new or empty folder and return
    it.

    `edge` is that of a region in level-0 pixels (0.2 µm each). Cases are dealt to the three labs in turn.
    ValueError where a number is not positive; FileExistsError where the folder holds anything.
    """
    folder = Path(folder)
    if min(cases, slides_per_case, cells_per_slide, processes) < 1 or not 64 <= edge <= 320:
        raise ValueError("Cases, slides, cells and processes must be 1 or more, and the edge 64 to 320 px.")
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty. Name a new folder, or empty this one.")
    (folder / "slides").mkdir(parents=True, exist_ok=True)
    jobs = [
        Job(
            path=folder / "slides" / f"smear-{case * slides_per_case + slide + 1:03d}.tif",
            case=case,
            lab=case % len(LABS),
            seed=(seed, case, slide),
            cells=cells_per_slide,
            edge=edge,
        )
        for case in range(cases)
        for slide in range(slides_per_case)
    ]
    _write_tables(folder, jobs, _make_slides(jobs, processes=processes), edge=edge)
    text = describe_study(name="Synthetic blood smears", region=(edge, smear.UM_PER_PX), classes=CLASSES, policy=POLICY)
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return folder


def make_slide(job: Job) -> smear.Plan:
    """Draw and write one slide and return its plan."""
    plan = plan_slide(job)
    pixels = smear.render_smear(plan, lab=LABS[job.lab], rng=np.random.default_rng([*job.seed, 2]))
    writer.write_pyramid(job.path, pixels, um_per_px=smear.UM_PER_PX)
    return plan


def plan_slide(job: Job) -> smear.Plan:
    """Choose what lies on a slide: the case's blood count from the case's seed, places from the slide's."""
    study_seed, case, _ = job.seed
    mean = np.array([item.share for item in CELL_CLASSES])
    count = np.random.default_rng([study_seed, case, 0, 1]).dirichlet(_CASE_CONCENTRATION * mean / mean.sum())
    # No patient lacks a kind altogether, or a rare class could live in one case alone.
    shares = 0.6 * count + 0.4 * mean
    rng = np.random.default_rng([*job.seed, 1])
    return smear.plan_smear(count=job.cells, region_edge=job.edge, shares=shares, rng=rng)


def _make_slides(jobs: Sequence[Job], *, processes: int) -> list[smear.Plan]:
    if processes == 1 or len(jobs) == 1:
        return [make_slide(job) for job in jobs]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(make_slide, jobs))


def _write_tables(folder: Path, jobs: Sequence[Job], plans: Sequence[smear.Plan], *, edge: int) -> None:
    slides: list[tuple[object, ...]] = []
    regions: list[tuple[object, ...]] = []
    truth: list[tuple[object, ...]] = []
    for job, plan in zip(jobs, plans, strict=True):
        path = job.path.relative_to(folder).as_posix()
        slides.append((path, f"case-{job.case + 1:03d}", LABS[job.lab].name))
        shift = np.random.default_rng([*job.seed, 3]).integers(-4, 5, size=(len(plan.cells), 2))
        for cell, (dx, dy) in zip(plan.cells, shift, strict=True):
            name = f"r{len(regions) + 1:05d}"
            corner = (cell.x - edge // 2 + int(dx), cell.y - edge // 2 + int(dy))
            regions.append((name, path, *corner, edge, edge))
            truth.append((name, cell.code, cell.borderline or ""))
    _write_csv(folder / "slides.csv", ("path", "case", "lab"), slides)
    _write_csv(folder / "regions.csv", ("id", "slide", "x", "y", "width", "height"), regions)
    _write_csv(folder / "truth.csv", ("region", "label", "borderline"), truth)


def _write_csv(path: Path, header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(header)
        table.writerows(rows)
