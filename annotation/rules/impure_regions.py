"""Regions whose middle shows little of their own class: cut between two cells, or around the wrong one."""

from collections.abc import Iterator

from annotation.rules.contract import Fix, Found, Rule, Threshold
from annotation.rules.view import PassView
from annotation.states import Severity

CODE = "impure-regions"


def find(view: PassView) -> Iterator[Found]:
    """Yield regions of which less than allowed looks like their own class."""
    least = view.threshold(CODE, "purity")
    for item in view.released():
        purity = view.evidence.purity.get(item.region, 1.0)
        if purity < least:
            yield Found(
                message=f"Region {item.region}, {item.label}, holds more than one thing: {purity:.0%} of its dark "
                "stain belongs to the thing in its middle.",
                region=item.region,
                evidence={"label": item.label, "revision": item.revision},
            )


RULE = Rule(
    code=CODE,
    version=1,
    severity=Severity.WARNING,
    title="Impure region",
    fix=Fix.EXCLUDE,
    find=find,
    meaning="The region holds several things, and the one in its middle is not most of it.",
    stakes="One label can't be right for two things; a model learns the neighbour under the wrong name.",
    thresholds={
        "purity": Threshold(0.6, 0.0, 1.0, "Share of the region that should belong to the thing in its middle."),
    },
)
