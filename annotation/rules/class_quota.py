"""A class with fewer regions than the study asked for: too few to learn from, or to test with."""

from collections import Counter
from collections.abc import Iterator

from annotation.rules.contract import Fix, Found, Rule
from annotation.rules.view import PassView
from annotation.states import Severity


def find(view: PassView) -> Iterator[Found]:
    """Yield classes under their own quota (blocker) or under the study's default quota (warning)."""
    counts = Counter(item.label for item in view.released())
    for code in view.codes:
        own = view.quotas.get(code, 0)
        default = 0 if own or code in view.special else view.policy.default_quota
        quota = own or default
        if counts[code] < quota:
            yield Found(
                message=f"Class {code} has {counts[code]} of the {quota} regions that the study wants.",
                subject=f"class {code}",
                evidence={"count": counts[code], "quota": quota},
                severity=None if own else Severity.WARNING,
            )


RULE = Rule(
    code="class-quota",
    version=1,
    severity=Severity.BLOCKER,
    title="Class under quota",
    fix=Fix.WAIVE,
    find=find,
    meaning="A class has fewer regions than the study wants of it.",
    stakes="Too few regions to learn the class from, or to say how well it is recognised.",
    reads=("default_quota",),
)
