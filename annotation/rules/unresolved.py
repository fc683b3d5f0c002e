"""Regions whose truth is open although someone counts on it: a tie, a withdrawn label, a recheck under way."""

from collections.abc import Iterator

from annotation.rules.contract import Fix, Found, Rule
from annotation.rules.view import PassView
from annotation.states import Severity

_SAID = {
    "adjudication": "waits for an adjudicator",
    "reopened": "had a label that was taken back, and has no new one yet",
    "recheck": "is being asked again, and its label may change",
}


def find(view: PassView) -> Iterator[Found]:
    """Yield open decisions one by one; regions that merely collect their first opinions are one warning."""
    for one in view.waiting:
        yield Found(
            message=f"Region {one.region} {_SAID[one.why]}.",
            region=one.region,
            evidence={"why": one.why, "revision": one.revision},
        )
    if view.collecting:
        yield Found(
            message=f"{view.collecting} regions still collect opinions and are not part of this pass.",
            subject="collecting",
            evidence={"count": view.collecting},
            severity=Severity.WARNING,
        )


RULE = Rule(
    code="unresolved",
    version=1,
    severity=Severity.BLOCKER,
    title="Unresolved",
    fix=Fix.ADJUDICATE,
    find=find,
    meaning="Somebody counts on the region, but its truth is open: a tie, a label taken back, a recheck under way.",
    stakes="What is decided after the pass is not in the release, which would then miss the hardest regions.",
)
