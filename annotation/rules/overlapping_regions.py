"""Regions of one slide that cover nearly the same place: the same cell counted twice."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from annotation.rules.contract import Fix, Found, Rule, Threshold
from annotation.rules.view import Item, PassView
from annotation.states import Severity

CODE = "overlapping-regions"


def find(view: PassView) -> Iterator[Found]:
    """Yield pairs that overlap more than allowed; where both have the same label, it is a warning."""
    allowed = view.threshold(CODE, "overlap")
    by_slide: dict[str, list[Item]] = defaultdict(list)
    for item in view.released():
        if item.box is not None and item.box.width > 0 and item.box.height > 0:
            by_slide[item.slide].append(item)
    for items in by_slide.values():
        for pair in _find_neighbours(items):
            first, other = sorted(pair, key=lambda item: item.region)
            assert first.box is not None and other.box is not None
            share = first.box.overlap(other.box)
            if share >= allowed:
                yield _report(first, other, share)


def _find_neighbours(items: Iterable[Item]) -> Iterator[tuple[Item, Item]]:
    """Pairs that may overlap: corners in the same or in touching cells of a grid as wide as the widest."""
    boxes = [(item, item.box) for item in items if item.box is not None]
    wide, high = max(box.width for _, box in boxes), max(box.height for _, box in boxes)
    cells: dict[tuple[int, int], list[Item]] = defaultdict(list)
    for item, box in boxes:
        cells[box.x // wide, box.y // high].append(item)
    for (column, row), inside in cells.items():
        for number, item in enumerate(inside):
            yield from ((item, other) for other in inside[number + 1 :])
            for step in ((1, -1), (1, 0), (1, 1), (0, 1)):
                yield from ((item, other) for other in cells.get((column + step[0], row + step[1]), ()))


def _report(first: Item, other: Item, share: float) -> Found:
    labels = first.label if first.label == other.label else f"{first.label} and {other.label}"
    return Found(
        message=f"Regions {first.region} and {other.region} cover {share:.0%} of the same place, labelled {labels}.",
        region=first.region,
        counterpart=other.region,
        evidence={"labels": [first.label, other.label]},
        severity=None if first.label != other.label else Severity.WARNING,
    )


RULE = Rule(
    code=CODE,
    version=1,
    severity=Severity.BLOCKER,
    title="Overlapping regions",
    fix=Fix.MERGE,
    find=find,
    meaning="Two regions of a slide cover nearly the same place, under one label or two.",
    stakes="The same cell counts twice, and with two labels a model is told both.",
    thresholds={
        "overlap": Threshold(0.5, 0.05, 1.0, "Part of what both cover from which on they are the same place."),
    },
)
