"""What a consistency pass sees, read once, as plain values: the truth of a study at one ledger position.

Decides what rules may look at; refuses to know rows, queries and the moment after the position.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from annotation.policy import Policy
from annotation.states import Method

CONSENSUS_METHODS = frozenset({Method.MAJORITY.value, Method.DAWID_SKENE.value})
"""Methods whose label stands on opinions alone; every other one is a named person's decision."""


@dataclass(frozen=True, slots=True)
class Item:
    """A region that is settled and not excluded: a candidate for the dataset.

    `label` is the class under the pass's protocol, empty where `given_label` has no exact mapping to it.
    `posterior` (K,) is the canonical consensus in the order of the view's codes; empty without any opinion.
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
class PassView:
    """The truth of a study at `position`, under the classes `codes` of protocol number `protocol`."""

    position: int
    protocol: int
    codes: tuple[str, ...]
    policy: Policy
    items: tuple[Item, ...] = ()
    quotas: Mapping[str, int] = field(default_factory=dict)
    special: frozenset[str] = frozenset()
    waiting: tuple[Waiting, ...] = ()
    collecting: int = 0
    earlier: Mapping[str, EarlierSplit] = field(default_factory=dict)
    ledger_problems: tuple[str, ...] = ()

    def released(self) -> tuple[Item, ...]:
        """Items that today's protocol can express: those a release would hold."""
        return tuple(item for item in self.items if item.label)

    def confidence(self, item: Item) -> float:
        """The canonical posterior of the item's label; 0 where nobody gave an opinion."""
        if not item.posterior or not item.label:
            return 0.0
        return item.posterior[self.codes.index(item.label)]
