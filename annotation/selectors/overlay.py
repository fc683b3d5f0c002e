"""What is known of every region of one slide, as columns in the order of the regions' indices.

Decides which columns there are and how compact they are; refuses to know colours. All of a slide at once: one of
50,000 regions must reach the browser in a fraction of a second, so PostgreSQL joins the columns, not Python.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from django.contrib.postgres.aggregates import StringAgg
from django.db.models import Count, Max, Min, QuerySet, TextField
from django.db.models.functions import Cast

from annotation.models import Annotation, ModelVersion, Region, ScoreFile, Slide
from annotation.selectors import scores
from annotation.services.truth import EVIDENCE_KINDS
from annotation.states import AnswerKind, ModelState, RegionState


@dataclass(frozen=True, slots=True)
class Truth:
    """Regions that have a class, by index, and which of `codes` each has."""

    codes: list[str] = field(default_factory=list)
    at: list[int] = field(default_factory=list)
    code: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Answers:
    """Who has given an opinion on which region: one place in `at` and `by` for each."""

    annotators: list[str] = field(default_factory=list)
    at: list[int] = field(default_factory=list)
    by: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """The active model's entropy of each region in percent of the largest there can be, and its best guess.

    Both two hexadecimal digits a region. `why` is a sentence where there is none.
    """

    model: int | None = None
    why: str = ""
    percent: str = ""
    codes: list[str] = field(default_factory=list)
    predicted: str = ""


@dataclass(frozen=True, slots=True)
class Overlay:
    """Columns of a slide's regions. Those with a value for each are joined texts: "0,256,..."."""

    count: int
    ids: str
    x: str
    y: str
    size: list[int] | None
    width: str
    height: str
    states: list[str]
    state: str
    truth: Truth
    answers: Answers
    uncertainty: Uncertainty

    def to_json(self) -> dict[str, Any]:
        return _plain(self) | {name: _plain(getattr(self, name)) for name in ("truth", "answers", "uncertainty")}


def _plain(row: Any) -> dict[str, Any]:
    """A row as a dict. Not `asdict`: it copies every value of every column."""
    return {one.name: getattr(row, one.name) for one in fields(row)}


def of_slide(slide: Slide) -> Overlay:
    """All regions of `slide`; a fixed number of queries."""
    regions = Region.objects.filter(slide=slide)
    columns = _columns(regions)
    count, is_even = columns["count"], columns["is_even"]
    states = [state.value for state in RegionState]
    place = {state: str(number) for number, state in enumerate(states)}
    return Overlay(
        count=count,
        ids=columns["ids"] or "",
        x=columns["x"] or "",
        y=columns["y"] or "",
        size=columns["size"] if is_even and count else None,
        width="" if is_even else columns["width"],
        height="" if is_even else columns["height"],
        states=states,
        state="".join(place[state] for state in (columns["state"] or "").split(" ") if state),
        truth=_truth(slide),
        answers=_answers(slide),
        uncertainty=_uncertainty(slide, count=count),
    )


def _columns(regions: QuerySet[Region]) -> dict[str, Any]:
    """The columns that every region has; widths and heights only where they differ."""
    found = regions.aggregate(
        count=Count("pk"),
        narrow=Min("width"),
        wide=Max("width"),
        low=Min("height"),
        high=Max("height"),
        ids=StringAgg("public_id", " ", order_by="index"),
        state=StringAgg("state", " ", order_by="index"),
        **_join("x", "y"),
    )
    is_even = found["narrow"] == found["wide"] and found["low"] == found["high"]
    sides = {} if is_even else regions.aggregate(**_join("width", "height"))
    size = [found["wide"], found["high"]]
    return {**found, "is_even": is_even, "size": size, **sides}


def _join(*names: str) -> dict[str, Any]:
    return {name: StringAgg(Cast(name, TextField()), ",", order_by="index") for name in names}


def _worked(slide: Slide) -> QuerySet[Region]:
    """The slide's regions that have ever been in the queue: few, and found by an index of their own."""
    return Region.objects.filter(study=slide.study_id, slide=slide).exclude(state=RegionState.POOL)


def _truth(slide: Slide) -> Truth:
    rows = _worked(slide).filter(current_revision__is_settled=True).exclude(current_revision__label="")
    pairs = list(rows.order_by("index").values_list("index", "current_revision__label"))
    codes = sorted({label for _, label in pairs})
    place = {code: number for number, code in enumerate(codes)}
    return Truth(codes=codes, at=[index for index, _ in pairs], code=[place[label] for _, label in pairs])


def _answers(slide: Slide) -> Answers:
    """Opinions that count as evidence and stand: repeats and gold say nothing of how far a region is."""
    rows = Annotation.objects.filter(
        study=slide.study_id, region__in=_worked(slide).values("pk"), assignment_kind__in=EVIDENCE_KINDS
    ).order_by("pk")
    found = rows.values_list("region__index", "annotator__pseudonym", "kind")
    pairs = sorted(_standing(found))
    names = sorted({name for _, name in pairs})
    place = {name: number for number, name in enumerate(names)}
    return Answers(annotators=names, at=[index for index, _ in pairs], by=[place[name] for _, name in pairs])


def _standing(rows: Iterable[tuple[int, str, str]]) -> list[tuple[int, str]]:
    newest = {(index, name): kind for index, name, kind in rows}
    return [pair for pair, kind in newest.items() if kind != AnswerKind.WITHDRAWN]


def _uncertainty(slide: Slide, *, count: int) -> Uncertainty:
    active = ModelVersion.objects.filter(study=slide.study_id, state=ModelState.ACTIVE).first()
    if active is None:
        return Uncertainty(
            why="No model is active yet. The heat map appears once enough regions are settled to train the first one."
        )
    if slide.case.audit_half:
        return Uncertainty(
            model=active.number,
            why="This slide belongs to the audit sample: no model ranks it, so there is no uncertainty to show.",
        )
    file = ScoreFile.objects.filter(model=active, slide=slide).first()
    if file is None:
        return Uncertainty(
            model=active.number,
            why=f"Model {active.number} has not scored this slide yet. Look again in a minute.",
        )
    try:
        found = scores.read(file, classes=len(active.class_codes), rows=count)
    except scores.Unreadable as error:
        return Uncertainty(model=active.number, why=str(error))
    return Uncertainty(model=active.number, percent=found.percent, codes=list(active.class_codes), predicted=found.best)
