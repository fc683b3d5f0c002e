"""What changed between two sets of labels: regions that joined, left, got another label or another split.

Decides what counts as a change and in which order changes are told; refuses to know where the labels come from, except
that a release's folder can be read. Plain values, no database.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from annotation.releasing import files, tables

ADDED, REMOVED, RELABELLED, MOVED = "added", "removed", "relabelled", "moved"
KINDS = (RELABELLED, REMOVED, MOVED, ADDED)
COLUMNS = ("change", "region", "label_before", "label_after", "split_before", "split_after")


class Held(NamedTuple):
    """A region's label and split in one of the two sets."""

    label: str
    split: str


class Change(NamedTuple):
    """One region that differs; `before` and `after` are empty where it was not, or is no more."""

    kind: str
    region: str
    before: Held
    after: Held

    def cells(self) -> tuple[str, ...]:
        """The change as a row of `COLUMNS`."""
        return (self.kind, self.region, self.before.label, self.after.label, self.before.split, self.after.split)


@dataclass(frozen=True, slots=True)
class Diff:
    """All changes: relabelled first, then removed, moved and added, each by region. `flows`: (from, to) -> regions
    whose label changed.
    """

    changes: tuple[Change, ...]
    unchanged: int
    flows: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        counted = Counter(change.kind for change in self.changes)
        return {kind: counted[kind] for kind in KINDS} | {"unchanged": self.unchanged}

    def of_kind(self, kind: str = "") -> tuple[Change, ...]:
        """The changes of one kind; all of them where none is named."""
        return tuple(change for change in self.changes if not kind or change.kind == kind)


NOTHING = Held("", "")


def compare(before: Mapping[str, Held], after: Mapping[str, Held]) -> Diff:
    """What changed from `before` to `after`, both region -> what is held of it."""
    found = sorted(_find(before, after), key=lambda change: (KINDS.index(change.kind), change.region))
    flows = Counter((one.before.label, one.after.label) for one in found if one.kind == RELABELLED)
    alike = len(before.keys() & after.keys()) - sum(one.kind in (RELABELLED, MOVED) for one in found)
    return Diff(tuple(found), alike, dict(flows.most_common()))


def _find(before: Mapping[str, Held], after: Mapping[str, Held]) -> Iterator[Change]:
    for region, old in before.items():
        new = after.get(region)
        if new is None:
            yield Change(REMOVED, region, old, NOTHING)
        elif new.label != old.label:
            yield Change(RELABELLED, region, old, new)
        elif new.split != old.split:
            yield Change(MOVED, region, old, new)
    for region in after.keys() - before.keys():
        yield Change(ADDED, region, NOTHING, after[region])


def read(path: Path) -> dict[str, Held]:
    """What the release's folder at `path` holds of each region; OSError or ValueError where it can't be read."""
    return {row["region"]: Held(row["label"], row["split"]) for row in tables.read(path / files.LABELS)}


def to_csv(changes: Iterable[Change]) -> bytes:
    """The changes as a table."""
    return tables.render(COLUMNS, (change.cells() for change in changes))
