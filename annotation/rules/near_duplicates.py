"""Regions that show the same thing although their pixels differ: turned, mirrored, moved or encoded anew."""

from collections.abc import Iterator

from annotation.rules.contract import Fix, Found, Rule, Threshold
from annotation.rules.view import Alike, Item, PassView
from annotation.states import Severity

CODE = "near-duplicates"


def find(view: PassView) -> Iterator[Found]:
    """Yield pairs alike by at least the study's similarity: other labels or other splits block, the rest warns.

    Equal pixels have rules of their own, and so have regions that cover the same place of a slide.
    """
    items = {item.region: item for item in view.released()}
    least, allowed = view.threshold(CODE, "similarity"), view.threshold("overlapping-regions", "overlap")
    for pair in view.evidence.alike:
        first, second = items.get(pair.first), items.get(pair.second)
        if first is None or second is None or pair.kind == "pixels" or pair.similarity < least:
            continue
        if not _covers(first, second, allowed):
            yield _report(first, second, pair)


def _covers(first: Item, second: Item, allowed: float) -> bool:
    if first.slide != second.slide or first.box is None or second.box is None:
        return False
    return first.box.overlap(second.box) >= allowed


def _report(first: Item, second: Item, pair: Alike) -> Found:
    labels = sorted({first.label, second.label})
    splits = sorted({first.split, second.split})
    said = f"but are {first.label} and {second.label}" if len(labels) > 1 else f"both {first.label}"
    where = f", in the splits {' and '.join(splits)}" if len(splits) > 1 else ""
    return Found(
        message=f"Regions {first.region} and {second.region} show the same thing (similarity {pair.similarity:.2f}), "
        f"{said}{where}.",
        region=first.region,
        counterpart=second.region,
        evidence={"labels": [first.label, second.label], "splits": [first.split, second.split], "kind": pair.kind},
        severity=None if len(labels) > 1 or len(splits) > 1 else Severity.WARNING,
    )


RULE = Rule(
    code=CODE,
    version=1,
    severity=Severity.BLOCKER,
    title="Near-duplicates",
    fix=Fix.RECHECK,
    find=find,
    meaning="Two regions show the same thing, turned, mirrored, moved or encoded anew.",
    stakes="It weighs twice; of two labels one is wrong; across splits a model is tested on what it has seen.",
    offers=(Fix.MERGE,),
    thresholds={
        "similarity": Threshold(0.975, 0.9, 1.0, "Correlation of the pixels from which on two regions are one."),
    },
)
