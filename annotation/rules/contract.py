"""What a consistency rule is, and what it may say.

Decides the shape that all rules share, so that a pass can run any of them; refuses to know rows and people.
"""

from collections.abc import Callable, Iterable
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
class Rule:
    """A rule: one function over what a pass saw. `reads` names the policy's values it depends on."""

    code: str
    version: int
    severity: Severity
    title: str
    fix: Fix
    find: Callable[[PassView], Iterable[Found]]
    reads: tuple[str, ...] = ()
    is_waivable: bool = True
