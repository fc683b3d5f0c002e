"""The consistency rules, a rule a file. To add one: write its file, name it here, test it.

What models and pixels say reaches them as evidence: no rule asks a model itself.
"""

from annotation.rules import (
    acceptance,
    case_splits,
    class_quota,
    class_share,
    completeness,
    disputed_consensus,
    domain_quota,
    gold_failed,
    identical_regions,
    impure_regions,
    invalid_geometry,
    label_errors,
    leaking_pixels,
    ledger_broken,
    near_duplicates,
    overlapping_regions,
    posterior_target,
    repeat_contradictions,
    size_limits,
    stale_protocol,
    unresolved,
)
from annotation.rules.contract import CHANGING_FIXES, EFFECTS, Fix, Found, Rule, Threshold
from annotation.rules.view import (
    Alike,
    Box,
    EarlierSplit,
    Evidence,
    Frame,
    GoldAnswer,
    Item,
    PassView,
    Repeat,
    Unmarked,
    Verdict,
    Waiting,
)

__all__ = [
    "CHANGING_FIXES",
    "EFFECTS",
    "RULES",
    "Alike",
    "Box",
    "EarlierSplit",
    "Evidence",
    "Fix",
    "Found",
    "Frame",
    "GoldAnswer",
    "Item",
    "PassView",
    "Repeat",
    "Rule",
    "Threshold",
    "Unmarked",
    "Verdict",
    "Waiting",
    "by_code",
]

RULES: tuple[Rule, ...] = (
    acceptance.RULE,
    case_splits.RULE,
    class_quota.RULE,
    class_share.RULE,
    completeness.RULE,
    disputed_consensus.RULE,
    domain_quota.RULE,
    gold_failed.RULE,
    identical_regions.RULE,
    impure_regions.RULE,
    invalid_geometry.RULE,
    label_errors.RULE,
    leaking_pixels.RULE,
    ledger_broken.RULE,
    near_duplicates.RULE,
    overlapping_regions.RULE,
    posterior_target.RULE,
    repeat_contradictions.RULE,
    size_limits.RULE,
    stale_protocol.RULE,
    unresolved.RULE,
)


def by_code(code: str) -> Rule | None:
    """The rule of that code; None where an older version of the program knew it."""
    return next((rule for rule in RULES if rule.code == code), None)
