"""What a consistency pass sees, read once, as plain values: the truth of a study at one ledger position.

Decides what rules may look at; refuses to know rows, queries and the moment after the position.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from annotation.policy import Policy
from annotation.states import Method

CONSENSUS_METHODS = frozenset({Method.MAJORITY.value, Method.DAWID_SKENE.value})
"""Methods whose label stands on opinions alone; every other one is a named person's decision."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in level-0 pixels of its slide, origin top left."""

    x: int
    y: int
    width: int
    height: int

    def overlap(self, other: "Box") -> float:
        """The part that both share, of all that either covers."""
        wide = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        high = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        shared = max(wide, 0) * max(high, 0)
        covered = self.width * self.height + other.width * other.height - shared
        return shared / covered if covered else 0.0


@dataclass(frozen=True, slots=True)
class Frame:
    """A slide's size in level-0 pixels, and what one of them measures in µm; 0 where nobody knows."""

    width: int
    height: int
    um_x: float = 0.0
    um_y: float = 0.0


@dataclass(frozen=True, slots=True)
class Repeat:
    """A region that a person answered twice, unaware; both answers in today's classes."""

    region: str
    annotator: str
    first: str
    again: str


@dataclass(frozen=True, slots=True)
class GoldAnswer:
    """What a person said of a gold region, and what it is; both in today's classes, `label` empty where it has none."""

    region: str
    annotator: str
    label: str
    truth: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What blind answers to a closed acceptance sample say a region is, in today's classes.

    `drawn` is the label it was drawn with, `doubt` the chance that this one is wrong, by all who answered.
    """

    sample: int
    label: str
    drawn: str
    doubt: float


@dataclass(frozen=True, slots=True)
class Item:
    """A region that is settled and not excluded: a candidate for the dataset.

    `label` is the class under the pass's protocol, empty where `given_label` has no exact mapping to it.
    `posterior` (K,) is the canonical consensus in the order of the view's codes; empty without any opinion.
    `is_rechecked`: people were asked about it again after it had been settled, and their answers count.
    """

    region: str
    revision: int
    label: str
    given_label: str
    protocol: int
    method: str
    posterior: tuple[float, ...]
    pixel_digest: str
    slide: str
    case: str
    domain: str
    split: str
    audit: str = ""
    box: "Box | None" = None
    is_rechecked: bool = False

    def placed_in(self, split: str) -> "Item":
        return replace(self, split=split)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A region whose truth is open although someone counts on it. `why`: adjudication, reopened or recheck."""

    region: str
    why: str
    revision: int = 0


@dataclass(frozen=True, slots=True)
class EarlierSplit:
    """Where an earlier release put a region."""

    release: int
    split: str


@dataclass(frozen=True, slots=True)
class Alike:
    """Two regions that show nearly the same, and how that was seen; whether their labels differ is not said."""

    first: str
    second: str
    kind: Literal["pixels", "perceptual", "embedding"]
    similarity: float


@dataclass(frozen=True, slots=True)
class Unmarked:
    """Something on a slide that nobody was asked about: a region never offered, or tissue without regions."""

    slide: str
    region: str
    why: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Evidence:
    """What models and pixels say about a view, gathered outside; empty where nobody gathered.

    `out_of_fold`: region -> probabilities over the view's codes, by a model that saw neither region nor case.
    `doubts`: region -> (the best other class, the chance that its label is wrong). `purity`: region -> share of its
    dark stain that belongs to the thing in its middle. `crowdlab`: region -> (label, confidence).
    `facts` are JSON values about the gathering that the pass keeps. `model` is the card of the model that a release of
    the pass would hold; empty where the study wants none in its releases.
    """

    out_of_fold: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    doubts: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    alike: tuple[Alike, ...] = ()
    purity: Mapping[str, float] = field(default_factory=dict)
    unmarked: tuple[Unmarked, ...] = ()
    crowdlab: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)


Limits = Mapping[str, float | Mapping[str, float]]
"""The thresholds of a rule by name: a number, or a number for each class, "" standing for all other classes."""


@dataclass(frozen=True, slots=True)
class PassView:
    """The truth of a study at `position`, under the classes `codes` of protocol number `protocol`.

    `domains` are those of the study's slides, `golds` says region -> known class.
    """

    position: int
    protocol: int
    codes: tuple[str, ...]
    policy: Policy
    items: tuple[Item, ...] = ()
    quotas: Mapping[str, int] = field(default_factory=dict)
    special: frozenset[str] = frozenset()
    parents: Mapping[str, str] = field(default_factory=dict)
    waiting: tuple[Waiting, ...] = ()
    collecting: int = 0
    by_people: Mapping[str, Mapping[str, tuple[str, float]]] = field(default_factory=dict)
    earlier: Mapping[str, EarlierSplit] = field(default_factory=dict)
    ledger_problems: tuple[str, ...] = ()
    evidence: Evidence = Evidence()
    thresholds: Mapping[str, Limits] = field(default_factory=dict)
    slides: Mapping[str, Frame] = field(default_factory=dict)
    domains: tuple[str, ...] = ()
    repeats: tuple[Repeat, ...] = ()
    golds: Mapping[str, str] = field(default_factory=dict)
    gold_answers: tuple[GoldAnswer, ...] = ()
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)

    def threshold(self, rule: str, name: str, *, of: str = "") -> float:
        """A threshold of a rule as the study has set it; `of` names the class where each has its own."""
        value = self.thresholds[rule][name]
        return value if isinstance(value, int | float) else value.get(of, value[""])

    def methods(self) -> dict[str, Mapping[str, tuple[str, float]]]:
        """Way to a consensus -> region -> (label, confidence): those of the people, and CROWDLAB with a model."""
        return {**self.by_people, "crowdlab": self.evidence.crowdlab}

    def released(self) -> tuple[Item, ...]:
        """Items that today's protocol can express: those a release would hold."""
        return tuple(item for item in self.items if item.label)

    def confidence(self, item: Item) -> float:
        """The canonical posterior of the item's label with its kinds; 0 where nobody gave an opinion."""
        if not item.posterior or not item.label:
            return 0.0
        return sum(item.posterior[self.codes.index(code)] for code in self.family(item.label))

    def family(self, code: str) -> tuple[str, ...]:
        """A class and every kind below it."""
        kinds = [kind for kind, parent in self.parents.items() if parent == code]
        return (code, *(one for kind in kinds for one in self.family(kind)))
