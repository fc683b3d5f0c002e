"""Answers and labels against gold: regions whose class was known beforehand."""

from collections import Counter
from collections.abc import Iterator

from annotation.rules.contract import Fix, Found, Rule, Threshold
from annotation.rules.view import PassView
from annotation.states import Severity

CODE = "gold-failed"


def find(view: PassView) -> Iterator[Found]:
    """Yield settled labels that contradict gold, and people who name too little of it right."""
    for item in view.released():
        truth = view.golds.get(item.region)
        if truth and truth != item.label:
            yield Found(
                message=f"Region {item.region} is settled as {item.label}, but gold says {truth}.",
                region=item.region,
                evidence={"label": item.label, "revision": item.revision, "gold": truth},
            )
    asked, right = Counter[str](), Counter[str]()
    for answer in view.gold_answers:
        asked[answer.annotator] += 1
        right[answer.annotator] += answer.label == answer.truth
    for name, count in sorted(asked.items()):
        share, wanted = right[name] / count, view.threshold(CODE, "share")
        if count >= view.threshold(CODE, "answers") and share < wanted:
            yield Found(
                message=f"Annotator {name} named {right[name]} of {count} gold regions right ({share:.0%}), under the "
                f"{wanted:.0%} wanted.",
                subject=f"annotator {name}",
                evidence={"right": right[name], "answers": count},
                severity=Severity.WARNING,
            )


RULE = Rule(
    code=CODE,
    version=1,
    severity=Severity.BLOCKER,
    title="Gold failed",
    fix=Fix.ADJUDICATE,
    find=find,
    meaning="A settled label contradicts what was known beforehand, or a person names too little gold right.",
    stakes="Where the known cases go wrong, the unknown ones do too: gold is the only answer that was there before.",
    thresholds={
        "share": Threshold(0.8, 0.0, 1.0, "Share of gold that a person should name right."),
        "answers": Threshold(10, 1, 1000, "Gold answered before a person is judged by it."),
    },
)
