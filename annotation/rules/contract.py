"""What a consistency rule is, and what it may say.

Decides the shape that all rules share, so that a pass can run any of them; refuses to know rows and people.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from annotation import canonical
from annotation.rules.view import PassView
from annotation.states import Severity


class Fix(StrEnum):
    """What a person can do about a finding. The first three change the truth, so they need a new pass."""

    RECHECK = "recheck"
    ADJUDICATE = "adjudicate"
    EXCLUDE = "exclude"
    ACCEPT = "accept"
    WAIVE = "waive"
    NONE = ""


CHANGING_FIXES = frozenset({Fix.RECHECK, Fix.ADJUDICATE, Fix.EXCLUDE})

EFFECTS: dict[Fix, tuple[str, str]] = {
    Fix.RECHECK: (
        "Ask again",
        "More people are asked, who don't see why; until they have answered, the region has no settled label. "
        "A new pass must see the outcome.",
    ),
    Fix.ADJUDICATE: (
        "Hand to adjudicators",
        "An adjudicator decides the region. A new pass must see the outcome.",
    ),
    Fix.EXCLUDE: (
        "Leave out",
        "The region gets a revision that keeps it out of releases. A new pass must see it.",
    ),
    Fix.ACCEPT: (
        "Accept",
        "Somebody looked, and the data are right as they are. Clears the way for a release of this pass, which "
        "tells it.",
    ),
    Fix.WAIVE: (
        "Waive",
        "The defect is known and borne, for good or until a day. Clears the way for a release of this pass, which "
        "tells it.",
    ),
}
"""Fix -> what it is called on screens, and what it does."""


@dataclass(frozen=True, slots=True)
class Found:
    """One violation. `evidence` is all that a person's decision about it rests on: while a later pass finds the
    same evidence, the decision still holds.
    """

    message: str
    region: str = ""
    counterpart: str = ""
    subject: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    severity: Severity | None = None

    @property
    def evidence_digest(self) -> str:
        return canonical.digest(self.evidence)


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number that a study may set between `low` and `high`; `says` what it means. Per class where `by_class`."""

    default: float
    low: float
    high: float
    says: str
    by_class: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: one function over what a pass saw. `reads` names the policy's values it depends on, `thresholds` its own.

    `meaning` says in a sentence what a finding is, `stakes` why it matters to who uses the data.
    """

    code: str
    version: int
    severity: Severity
    title: str
    fix: Fix
    find: Callable[[PassView], Iterable[Found]]
    meaning: str
    stakes: str
    reads: tuple[str, ...] = ()
    is_waivable: bool = True
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)

    def fixes(self, *, has_region: bool) -> tuple[Fix, ...]:
        """What a person may do about an open finding of this rule, the fix it offers first."""
        if not self.is_waivable:
            return ()
        known = [fix for fix in EFFECTS if has_region or fix not in CHANGING_FIXES]
        return tuple(sorted(known, key=lambda fix: fix != self.fix))
