"""Labels that differ from what several people said blind of the same region, when a sample of the set was measured."""

from collections.abc import Iterator

from annotation.rules.contract import Fix, Found, Rule
from annotation.rules.view import PassView
from annotation.states import Severity

_MORE_LIKELY_THAN_NOT = 0.5


def find(view: PassView) -> Iterator[Found]:
    """Yield sampled regions whose label is not the verdict.

    Verdicts err too: where all answers together still speak for the label it was drawn with, this is a warning.
    """
    for item in view.released():
        verdict = view.verdicts.get(item.region)
        if verdict is None or verdict.label == item.label:
            continue
        speaks_for_it = item.label == verdict.drawn and verdict.doubt < _MORE_LIKELY_THAN_NOT
        chance = f" The label is wrong with a chance of {verdict.doubt:.0%}." if item.label == verdict.drawn else ""
        yield Found(
            message=f"Region {item.region} is {item.label}, but fresh eyes in sample {verdict.sample} "
            f"found {verdict.label}.{chance}",
            region=item.region,
            evidence={
                "label": item.label,
                "verdict": verdict.label,
                "sample": verdict.sample,
                "revision": item.revision,
            },
            severity=Severity.WARNING if speaks_for_it else None,
        )


RULE = Rule(
    code="acceptance",
    version=1,
    severity=Severity.BLOCKER,
    title="Wrong in the acceptance sample",
    fix=Fix.ADJUDICATE,
    find=find,
    meaning="People who did not know the label answered the region again, and came to another class.",
    stakes="These are errors that everything before has overlooked; the datasheet counts on their being mended.",
)
