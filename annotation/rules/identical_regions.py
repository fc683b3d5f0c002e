"""Regions with the very same pixels but different labels: one of them is wrong, or the cell is borderline."""

from collections import defaultdict
from collections.abc import Iterator

from annotation.rules.contract import Fix, Found, Rule
from annotation.rules.view import Item, PassView
from annotation.states import Severity


def find(view: PassView) -> Iterator[Found]:
    """Yield a pair for each region whose label differs from that of the first region of its pixels."""
    by_pixels: dict[str, list[Item]] = defaultdict(list)
    for item in view.released():
        if item.pixel_digest:
            by_pixels[item.pixel_digest].append(item)
    for items in by_pixels.values():
        first, *others = sorted(items, key=lambda item: item.region)
        for other in others:
            if other.label != first.label:
                yield _report(first, other)


def _report(first: Item, other: Item) -> Found:
    return Found(
        message=f"The same pixels are {first.label} in region {first.region} and {other.label} in {other.region}.",
        region=first.region,
        counterpart=other.region,
        evidence={"labels": [first.label, other.label], "revisions": [first.revision, other.revision]},
    )


RULE = Rule(
    code="identical-regions",
    version=1,
    severity=Severity.BLOCKER,
    title="Identical regions with different labels",
    fix=Fix.RECHECK,
    find=find,
    meaning="Two regions hold the very same pixels but carry different labels.",
    stakes="One of the labels is wrong, or the cell lies between the classes; a model is told both.",
    offers=(Fix.MERGE,),
)
