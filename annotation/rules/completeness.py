"""What nobody was asked about: tissue without regions, and regions of a wanted class that were never offered."""

from collections.abc import Iterator

from annotation.rules.contract import Fix, Found, Rule, Threshold, shorten
from annotation.rules.view import PassView
from annotation.states import Severity

CODE = "completeness"


def find(view: PassView) -> Iterator[Found]:
    """Yield, for each slide and reason, what was missed there, from the study's least count on."""
    for one in view.evidence.unmarked:
        if one.count >= view.threshold(CODE, "regions"):
            yield Found(
                message=f"Slide {one.slide}: {one.count} {one.why}.",
                subject=shorten(f"slide {one.slide}: {one.why}"),
                evidence={"why": one.why, "count": one.count},
            )


RULE = Rule(
    code=CODE,
    version=2,
    severity=Severity.WARNING,
    title="Never offered",
    fix=Fix.ACCEPT,
    find=find,
    meaning="A slide has tissue without regions, or regions that a model takes for a class under quota and nobody saw.",
    stakes="What was never offered is missing from the dataset, and nobody can tell whether it is like the rest.",
    thresholds={
        "regions": Threshold(1, 1, 1_000_000, "Regions, or squares of tissue, from which on a slide is named."),
    },
)
