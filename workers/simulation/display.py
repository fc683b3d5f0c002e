"""What is going on in a study, as a live table on a terminal or a line now and then elsewhere.

Decides what is shown; refuses to steer anything.
"""

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from rich.console import Console
from rich.live import Live
from rich.table import Table

from annotation.models import FeatureShard, Job, ModelVersion, Pick, Region, ReliabilitySnapshot, Slide, Study
from annotation.states import JobState
from workers.simulation.patience import patiently

LINE_SECONDS = 10.0
MODELS_SHOWN = 4


@dataclass(frozen=True, slots=True)
class View:
    """One look at a study."""

    slides: Counter[str]
    features: int
    picks: Counter[str]
    regions: Counter[str]
    models: list[ModelVersion]
    jobs: Counter[str]
    agreement: float | None


def look(study: Study) -> View:
    """Count everything that is shown."""

    def counted(rows: Any, field: str) -> Counter[str]:
        return Counter(dict(rows.order_by().values_list(field).annotate(n=Count("pk"))))

    newest = ReliabilitySnapshot.objects.filter(study=study).order_by("-number").first()
    shares = [value for row in newest.reliability.values() for value in row.get("mean", [])] if newest else []
    live = Job.objects.filter(study=study).exclude(state=JobState.DONE)
    return View(
        slides=counted(Slide.objects.filter(study=study), "state"),
        features=FeatureShard.objects.filter(slide__study=study).values("slide").distinct().count(),
        picks=counted(Pick.objects.filter(study=study), "state"),
        regions=counted(Region.objects.filter(study=study), "state"),
        models=list(ModelVersion.objects.filter(study=study).order_by("-number")[:MODELS_SHOWN]),
        jobs=counted(live, "state"),
        agreement=sum(shares) / len(shares) if shares else None,
    )


class Display:
    """Shows a study until told to stop. `stage` is a sentence about what happens now."""

    def __init__(self, *, study: Study, console: Console, target: int) -> None:
        self.study = study
        self.stage = "Reading slides."
        self._console = console
        self._target = target
        self._started = time.monotonic()
        self._last_line = 0.0
        self._answers = 0
        self._live: Live | None = None

    def __enter__(self) -> "Display":
        if self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=2, transient=False)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def tell(self, stage: str) -> None:
        """Change the stage; without a terminal it is printed at once."""
        self.stage = stage
        if self._live is None:
            self._console.print(stage, markup=False, soft_wrap=True)

    def show(self, *, answers: int) -> None:
        """Refresh the table, or print a line when the last is old."""
        self._answers = answers
        if self._live is not None:
            self._live.update(self._table(patiently(lambda: look(self.study))))
        elif time.monotonic() - self._last_line > LINE_SECONDS:
            self._last_line = time.monotonic()
            self._console.print(self._line(patiently(lambda: look(self.study))), markup=False, soft_wrap=True)

    def _pace(self) -> str:
        minutes = (time.monotonic() - self._started) / 60
        rate = self._answers / minutes if minutes else 0.0
        left = max(self._target - self._answers, 0)
        eta = f", about {left / rate:.0f} min to go" if rate and left else ""
        return f"{self._answers:,} of about {self._target:,} answers, {rate:.0f} a minute{eta}"

    def _line(self, view: View) -> str:
        model = next((row.number for row in view.models if row.state == "active"), None)
        return (
            f"[{time.monotonic() - self._started:5.0f} s] {self._pace()}; {view.regions['settled']:,} settled, "
            f"{view.picks['open']} picks open, {view.picks['adjudication']} to adjudicate; "
            f"model {model or '-'} of {view.models[0].number if view.models else 0}; "
            f"jobs {view.jobs['ready']} ready, {view.jobs['running']} running, {view.jobs['failed']} failed"
        )

    def _table(self, view: View) -> Table:
        table = Table(title=f"Concord: {self.study.name} ({self.study.slug})", show_header=False, expand=True)
        table.add_column(style="bold", no_wrap=True)
        table.add_column()
        slides = sum(view.slides.values())
        table.add_row("now", self.stage)
        table.add_row(
            "slides",
            f"{view.slides['tiled']} of {slides} tiled, {view.slides['failed']} failed; features of {view.features}",
        )
        table.add_row(
            "queue",
            f"{view.picks['open']} open, {view.picks['adjudication']} to adjudicate, "
            f"{view.picks['settled']} settled, {view.picks['superseded']} superseded",
        )
        table.add_row("truth", f"{view.regions['settled']:,} settled, {view.regions['pool']:,} in the pool")
        table.add_row("answers", self._pace())
        if view.agreement is not None:
            table.add_row("reliability", f"{view.agreement:.0%} on average over people and classes")
        for model in view.models:
            reason = model.gate_reasons[0] if model.gate_reasons else ""
            table.add_row(f"model {model.number}", f"{model.state}. {reason}")
        table.add_row(
            "jobs", f"{view.jobs['ready']} ready, {view.jobs['running']} running, {view.jobs['failed']} failed"
        )
        return table
