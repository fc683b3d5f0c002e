"""The consistency rules that need no model, a rule a file. To add one: write its file, name it here, test it."""

from annotation.rules import (
    case_splits,
    class_quota,
    identical_regions,
    ledger_broken,
    posterior_target,
    stale_protocol,
    unresolved,
)
from annotation.rules.contract import CHANGING_FIXES, EFFECTS, Fix, Found, Rule, Threshold
from annotation.rules.view import Alike, EarlierSplit, Evidence, Item, PassView, Unmarked, Waiting

__all__ = [
    "CHANGING_FIXES",
    "EFFECTS",
    "RULES",
    "Alike",
    "EarlierSplit",
    "Evidence",
    "Fix",
    "Found",
    "Item",
    "PassView",
    "Rule",
    "Threshold",
    "Unmarked",
    "Waiting",
    "by_code",
]

RULES: tuple[Rule, ...] = (
    case_splits.RULE,
    class_quota.RULE,
    identical_regions.RULE,
    ledger_broken.RULE,
    posterior_target.RULE,
    stale_protocol.RULE,
    unresolved.RULE,
)


def by_code(code: str) -> Rule | None:
    """The rule of that code; None where an older version of the program knew it."""
    return next((rule for rule in RULES if rule.code == code), None)
