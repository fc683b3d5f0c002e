"""Labels that the canonical consensus of the pass holds for less sure than the study wants."""

from collections.abc import Iterator

from annotation.rules.contract import Fix, Found, Rule
from annotation.rules.view import CONSENSUS_METHODS, PassView
from annotation.states import Severity


def find(view: PassView) -> Iterator[Found]:
    """Yield settled regions whose label stands on opinions alone and falls short of the target.

    A named person's decision is not asked for a posterior. Where a fixed number of opinions settles a region
    whatever they say, the study promises no confidence, and this is a warning.
    """
    target = view.policy.target_confidence
    severity = Severity.WARNING if view.policy.fixed_overlap else None
    for item in view.released():
        sure = view.confidence(item)
        if item.method in CONSENSUS_METHODS and sure < target:
            best = view.codes[max(range(len(view.codes)), key=item.posterior.__getitem__)] if item.posterior else ""
            rival = f"; the consensus now favours {best}" if best and best not in view.family(item.label) else ""
            yield Found(
                message=f"Region {item.region} is {item.label} with {sure:.2f} of the {target:.2f} wanted{rival}.",
                region=item.region,
                evidence={"label": item.label, "revision": item.revision, "favours": best},
                severity=severity,
            )


RULE = Rule(
    code="posterior-target",
    version=1,
    severity=Severity.BLOCKER,
    title="Posterior under target",
    fix=Fix.RECHECK,
    find=find,
    meaning="The label rests on opinions that leave it less sure than the study's target.",
    stakes="Labels below the target are wrong more often than the study promises.",
    reads=("target_confidence", "fixed_overlap"),
)
