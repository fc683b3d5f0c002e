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
    """What a person can do about a finding. The first five change the truth, so they need a new pass."""

    RECHECK = "recheck"
    ADJUDICATE = "adjudicate"
    MERGE = "merge"
    MAP = "map"
    EXCLUDE = "exclude"
    ACCEPT = "accept"
    WAIVE = "waive"
    NONE = ""


CHANGING_FIXES = frozenset({Fix.RECHECK, Fix.ADJUDICATE, Fix.MERGE, Fix.MAP, Fix.EXCLUDE})

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
    Fix.MERGE: (
        "Merge duplicates",
        "Of the regions that show the same, the one with the best documented label stays; the others are left out, "
        "with a reason that names it. A new pass must see it.",
    ),
    Fix.MAP: (
        "Carry over",
        "The regions get the class of today's protocol that you name, as a revision. A new pass must see it.",
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


LONGEST_SUBJECT = 120


def shorten(subject: str) -> str:
    """A subject that fits its column, still unlike any other."""
    if len(subject) <= LONGEST_SUBJECT:
        return subject
    mark = canonical.digest(subject)[:8]
    return f"{subject[: LONGEST_SUBJECT - len(mark) - 2]}… {mark}"


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


_SPECIAL_FIXES = frozenset({Fix.MERGE, Fix.MAP})


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

    `meaning` says in a sentence what a finding is, `stakes` why it matters to who uses the data. `offers` names fixes
    that make sense for some rules alone (merge, map), beside `fix` itself.
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
    offers: tuple[Fix, ...] = ()
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)

    def fixes(self, *, has_region: bool) -> tuple[Fix, ...]:
        """What a person may do about an open finding of this rule, the fix it offers first."""
        if not self.is_waivable:
            return ()
        special = _SPECIAL_FIXES - {self.fix, *self.offers}
        known = [fix for fix in EFFECTS if fix not in special and (has_region or fix not in CHANGING_FIXES)]
        return tuple(sorted(known, key=lambda fix: fix != self.fix))
