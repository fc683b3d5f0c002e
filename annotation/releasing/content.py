"""Everything a release says, as plain values.

Decides which facts belong into a release; refuses to know where they were read and how they are written.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from annotation.chain import Link


@dataclass(frozen=True, slots=True)
class ReleasedClass:
    """A class of the protocol; `is_special` marks outcomes that are not to be learned."""

    code: str
    name: str
    colour: str
    definition: str
    is_special: bool
    quota: int | None
    parent: str = ""


@dataclass(frozen=True, slots=True)
class ReleasedSlide:
    """A slide by public id and checksum; sizes in level-0 pixels, `um_per_px` empty where the file does not say."""

    slide: str
    sha256: str
    size_bytes: int
    width: int
    height: int
    um_per_px_x: float | None
    um_per_px_y: float | None
    case: str
    domain: str
    split: str


@dataclass(frozen=True, slots=True)
class ReleasedRegion:
    """A region with its label. `posterior` (K,) is the canonical consensus, `agreement` the share of the
    opinions that say the label; both empty where nobody gave an independent opinion.
    """

    region: str
    slide: ReleasedSlide
    x: int
    y: int
    width: int
    height: int
    label: str
    method: str
    revision: int
    protocol: int
    opinions: int
    agreement: float | None
    audit: str
    posterior: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ReleasedAnswer:
    """An answer that counts, by pseudonym; `label` is the class that was given, under `protocol`."""

    region: str
    annotator: str
    number: int
    kind: str
    label: str
    protocol: int
    seconds: float | None
    is_flagged: bool
    suggestion: str


@dataclass(frozen=True, slots=True)
class Version:
    """A published version of the protocol; `mappings` are (class before, class after or "", kind)."""

    number: int
    at: str
    by: str
    summary: str
    mappings: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """A finding that a named person (`by`, a pseudonym) resolved or waived."""

    rule: str
    state: str
    message: str
    region: str
    counterpart: str
    subject: str
    by: str
    reason: str
    at: str
    until: str | None


@dataclass(frozen=True, slots=True)
class Earlier:
    """The release before, and what this one changed against it: how many regions of each kind, whose labels went
    where, and the `table` of all changes (CSV) with so many `rows`.
    """

    number: int
    digest: str
    counts: Mapping[str, int]
    flows: Mapping[tuple[str, str], int]
    table: bytes
    rows: int


@dataclass(frozen=True, slots=True)
class Content:
    """A release. `facts` are the JSON values that the pass has pinned: policy, consensus, agreement, models, ..."""

    study: Mapping[str, Any]
    pass_number: int
    pass_at: str
    position: int
    digest: str
    protocol: int
    guideline: str
    mappings: Mapping[str, Mapping[str, str]]
    rules: Mapping[str, Any]
    facts: Mapping[str, Any]
    classes: tuple[ReleasedClass, ...]
    slides: tuple[ReleasedSlide, ...]
    regions: tuple[ReleasedRegion, ...]
    answers: tuple[ReleasedAnswer, ...]
    decisions: tuple[Decision, ...]
    open_warnings: Mapping[str, int]
    links: Iterable[Link]
    earlier: Earlier | None = None
    versions: tuple[Version, ...] = ()

    @property
    def codes(self) -> list[str]:
        return [item.code for item in self.classes]
