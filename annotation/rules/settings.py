"""How strictly each rule is applied in a study: its severity, or off, and its thresholds.

Decides what a study may set and what holds where it says nothing; refuses to know where settings are kept.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from annotation.rules import RULES, Rule, Threshold, by_code
from annotation.rules.view import Limits
from annotation.states import Severity

OFF = "off"
SEVERITIES = (*Severity.values, OFF)

Values = Mapping[str, Mapping[str, Any]]
"""Rule code -> what a study says of it: "severity" and its thresholds, each only where it differs."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How a pass applies one rule. `severity` is empty where the study leaves it to the rule."""

    severity: str
    thresholds: Limits

    @property
    def is_on(self) -> bool:
        return self.severity != OFF

    def rate(self, rule: Rule, found: Severity | None) -> Severity:
        """The severity of a finding: what a study says is the most that its findings can be."""
        if not self.severity:
            return found or rule.severity
        return Severity.WARNING if Severity.WARNING in (self.severity, found) else Severity.BLOCKER

    def to_json(self) -> dict[str, Any]:
        said = {"severity": self.severity} if self.severity else {}
        return {**said, **({"thresholds": dict(self.thresholds)} if self.thresholds else {})}


def resolve(values: Values) -> dict[str, Setting]:
    """Code -> setting of every rule, with defaults where the study says nothing."""
    return {rule.code: _resolve(rule, values.get(rule.code, {})) for rule in RULES}


def limits(values: Values) -> dict[str, Limits]:
    """Code -> thresholds of every rule: what rules read."""
    return {code: setting.thresholds for code, setting in resolve(values).items()}


def _resolve(rule: Rule, said: Mapping[str, Any]) -> Setting:
    thresholds = {name: _fill(one, said.get(name, one.default)) for name, one in sorted(rule.thresholds.items())}
    return Setting(said.get("severity", ""), thresholds)


def _fill(threshold: Threshold, value: Any) -> float | dict[str, float]:
    return {"": threshold.default, **value} if isinstance(value, Mapping) else value


def find_problems(values: Any, *, codes: Iterable[str]) -> list[str]:
    """What is wrong with `values`, all of it, in sentences; `codes` are the classes that may be named."""
    if not isinstance(values, Mapping):
        return ["The settings of rules must be a table of rules."]
    known = frozenset(codes)
    return [problem for code, said in values.items() for problem in _check_rule(str(code), said, known)]


def _check_rule(code: str, said: Any, codes: frozenset[str]) -> Iterator[str]:
    rule = by_code(code)
    if rule is None:
        yield f"There is no rule '{code}'. The rules are: {', '.join(one.code for one in RULES)}."
    elif not isinstance(said, Mapping):
        yield f"The settings of '{code}' must be a table, such as severity = \"warning\"."
    else:
        for name, value in said.items():
            yield from _check_severity(rule, value) if name == "severity" else _check_value(rule, name, value, codes)


def _check_severity(rule: Rule, value: Any) -> Iterator[str]:
    if value not in SEVERITIES:
        yield f"{rule.code}: the severity must be one of {', '.join(SEVERITIES)}, not {value!r}."
    elif not rule.is_waivable and value != rule.severity:
        yield f"{rule.code}: this rule can be neither switched off nor lowered."


def _check_value(rule: Rule, name: str, value: Any, codes: frozenset[str]) -> Iterator[str]:
    threshold = rule.thresholds.get(name)
    if threshold is None:
        known = ", ".join(["severity", *sorted(rule.thresholds)])
        yield f"{rule.code}: there is nothing called '{name}' to set. Known: {known}."
    elif not isinstance(value, Mapping):
        yield from _check_number(f"{rule.code}: {name}", threshold, value)
    elif not threshold.by_class:
        yield f"{rule.code}: {name} is one number for the whole study, not one for each class."
    else:
        for code, number in value.items():
            if code not in codes:
                yield f"{rule.code}: {name} names the class '{code}', which the protocol does not have."
            yield from _check_number(f"{rule.code}: {name} of {code}", threshold, number)


def _check_number(what: str, threshold: Threshold, value: Any) -> Iterator[str]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not threshold.low <= value <= threshold.high:
        yield f"{what} must be a number from {threshold.low:g} to {threshold.high:g}, not {value!r}."
