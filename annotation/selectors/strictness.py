"""How strictly each rule is applied in a study, with its limits, and what it found in the newest pass.

Decides what a manager needs to set a rule; refuses to change anything.
"""

from dataclasses import dataclass
from typing import Any

from annotation.models import ConsistencyPass, Study
from annotation.rules import RULES, Rule, Threshold, settings
from annotation.selectors import findings
from annotation.states import PassState


@dataclass(frozen=True, slots=True)
class Limit:
    """A threshold as the study has set it: `value` for all classes, `by_class` where some have their own."""

    name: str
    threshold: Threshold
    value: float
    by_class: dict[str, float]


@dataclass(frozen=True, slots=True)
class Strictness:
    """A rule, its severity in the study (empty: its own), its thresholds, and its findings in the newest pass."""

    rule: Rule
    severity: str
    limits: list[Limit]
    found: int | None
    open: int | None


def read(study: Study) -> list[Strictness]:
    """Every rule, as the next pass will apply it; two queries."""
    chosen = settings.resolve(study.rule_values)
    passes = ConsistencyPass.objects.filter(study=study, state=PassState.DONE).order_by("-number")
    newest = passes.defer("numbers").first()
    counts = {one.rule: one.counts for one in findings.groups(findings.of_pass(newest))} if newest else {}
    found = []
    for rule in RULES:
        said, counted = chosen[rule.code], counts.get(rule.code, {})
        ran = newest is not None and newest.rules.get(rule.code, {}).get("severity", "") != settings.OFF
        still = counted.get("open_blockers", 0) + counted.get("open_warnings", 0)
        limits = [_tell(name, one, said.thresholds[name]) for name, one in rule.thresholds.items()]
        total = counted.get("total", 0) if ran else None
        found.append(Strictness(rule, said.severity, limits, found=total, open=still if ran else None))
    return found


def _tell(name: str, threshold: Threshold, value: Any) -> Limit:
    if isinstance(value, dict):
        others = {code: number for code, number in value.items() if code}
        return Limit(name, threshold, value[""], others)
    return Limit(name, threshold, value, {})
