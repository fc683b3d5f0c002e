"""What a checked study folder asks for, as plain values.

Decides the shape that reading hands to importing; refuses to know files' syntax and rows alike.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class ClassPlan:
    """A class of the protocol, or a special outcome that is not learned."""

    code: str
    name: str
    colour: str
    key: str
    definition: str
    is_special: bool = False
    quota: int | None = None
    parent: str = ""


class RegionPlan(NamedTuple):
    """A rectangle in level-0 pixels. `name` is the folder's id of it: for truth and votes, never stored."""

    name: str
    x: int
    y: int
    width: int
    height: int
    line: int


class TruthPlan(NamedTuple):
    """What a region really is; `borderline` is the other class where it lies between two."""

    label: str
    borderline: str
    is_gold: bool


class VotePlan(NamedTuple):
    """A recorded opinion of somebody outside Concord."""

    region: str
    annotator: str
    label: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class SlidePlan:
    """A slide file that was opened and decoded. `name` is its path in slides.csv; never stored."""

    name: str
    path: Path
    line: int
    case: str
    domain: dict[str, str]
    checksum: str
    size_bytes: int
    width: int
    height: int
    levels: list[list[float]]
    um_per_px: tuple[float, float] | None
    objective: float | None
    vendor: str
    properties: dict[str, str]


@dataclass(frozen=True, slots=True)
class Definition:
    """Everything that defines a study; no people, no slides. `policy` and `rules`: what differs from the defaults."""

    name: str
    task: str
    seed: int
    region_width: int
    region_height: int
    region_um_per_px: float | None
    domains: list[str]
    classes: list[ClassPlan]
    guideline: str
    policy: dict[str, Any]
    checklist: dict[str, str]
    rules: dict[str, Any] = field(default_factory=dict)
    publication: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """A whole folder. `regions` is None where the slides are to be tiled; else by the slide's name."""

    definition: Definition
    slides: list[SlidePlan]
    regions: dict[str, list[RegionPlan]] | None = None
    truth: dict[str, TruthPlan] = field(default_factory=dict)
    votes: list[VotePlan] = field(default_factory=list)

    @property
    def region_count(self) -> int:
        return sum(len(rows) for rows in (self.regions or {}).values())

    @property
    def slides_without_regions(self) -> list[SlidePlan]:
        """Slides that a given regions.csv does not name; they are left out rather than tiled unasked."""
        if self.regions is None:
            return []
        return [slide for slide in self.slides if not self.regions.get(slide.name)]
