"""Labels that a model doubts which saw neither the region nor any other of its case."""

from collections.abc import Iterator

from annotation.rules.contract import Fix, Found, Rule, Threshold
from annotation.rules.view import CONSENSUS_METHODS, PassView
from annotation.states import Severity

CODE = "label-errors"


def find(view: PassView) -> Iterator[Found]:
    """Yield labels that are wrong more likely than allowed; those probably right only warn, as do labels that a person
    decided or that people stood by when they were asked again: the model has nothing new to say of them.

    Regions of the audit sample are never doubted: no model looks at them before a release's report.
    """
    doubts = view.evidence.doubts
    released = view.released()
    if not doubts and len(released) >= view.threshold(CODE, "regions"):
        yield Found(
            message="No model has looked at these labels, so nobody knows which are likely wrong, alike or impure. "
            "Wait until the regions' features are there and run the pass again.",
            subject="evidence",
            evidence={"missing": "out-of-fold"},
            severity=Severity.WARNING,
        )
    for item in released:
        likely, chance = doubts.get(item.region, ("", 0.0))
        if chance > view.threshold(CODE, "suspicion"):
            is_open = item.method in CONSENSUS_METHODS and not item.is_rechecked
            is_sure = is_open and chance > view.threshold(CODE, "surely")
            yield Found(
                message=f"Region {item.region} is {item.label} but might be {likely}: the label is wrong with a chance "
                f"of {chance:.2f}.",
                region=item.region,
                evidence={"label": item.label, "revision": item.revision, "likely": likely},
                severity=None if is_sure else Severity.WARNING,
            )


RULE = Rule(
    code=CODE,
    version=2,
    severity=Severity.BLOCKER,
    title="Likely label error",
    fix=Fix.RECHECK,
    find=find,
    meaning="A model trained on all other cases expects another class than the label says.",
    stakes="Labels that look wrong to a model are wrong far more often than the others, and teach it its mistakes.",
    thresholds={
        "suspicion": Threshold(0.1, 0.01, 1.0, "Chance of being wrong above which a label is named."),
        "surely": Threshold(0.5, 0.01, 1.0, "Chance of being wrong above which a label blocks a release."),
        "regions": Threshold(500, 1, 1e9, "Regions from which on a pass without any model's evidence is warned of."),
    },
)
