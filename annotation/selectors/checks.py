"""What is looked at before a release is cut: what refuses it, and what a manager should know.

Decides the sentences; refuses to decide whether a release is allowed, which services.releases and the database do.
"""

from dataclasses import dataclass
from typing import Any

from annotation import splits
from annotation.models import ConsistencyPass
from annotation.selectors import findings, passes
from annotation.states import PassState

PASSED, FAILED, NOTED = "passed", "failed", "noted"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: passed, failed (refuses a release) or noted. `rule`: whose findings `count` is of."""

    code: str
    state: str
    sentence: str
    rule: str = ""
    count: int = 0


def of_pass(row: ConsistencyPass, *, counted: dict[str, Any]) -> list[Check]:
    """Everything that refuses a release of the pass, then what is worth knowing. `counted`: its composition."""
    if row.state != PassState.DONE:
        return [Check("finished", FAILED, f"Pass {row.number} is {row.state}: a release needs a finished one.")]
    groups = findings.groups(findings.of_pass(row))
    return [
        Check("finished", PASSED, f"Pass {row.number} has finished."),
        *blockers(groups),
        *_check_waivers(groups),
        *_check_regions(counted),
        *_check_classes(counted),
        *_check_warnings(groups),
        *_check_age(row),
    ]


def blockers(groups: list[findings.Group]) -> list[Check]:
    """What stands before a release, a sentence a rule; one that passed where nothing does."""
    found = [_check_rule(group) for group in groups if group.counts["blocks"]]
    return found or [Check("blockers", PASSED, "No blocker is open.")]


def _check_rule(group: findings.Group) -> Check:
    counts = group.counts
    fixed = counts["blocks"] - counts["open_blockers"] - counts["lapsed"]
    parts = [f"{counts['open_blockers']} open"] if counts["open_blockers"] else []
    parts += [f"{counts['lapsed']} with a waiver that has run out"] if counts["lapsed"] else []
    parts += [f"{fixed} fixed since, which a new pass has to see"] if fixed else []
    return Check("blockers", FAILED, f"{group.title}: {', '.join(parts)}.", group.rule, counts["blocks"])


def _check_waivers(groups: list[findings.Group]) -> list[Check]:
    found = []
    for group in groups:
        if number := group.counts["lapsing"]:
            said = f"{group.title}: {_many(number, 'waiver')} will run out within {findings.SOON.days} days."
            found.append(Check("waivers", NOTED, said, group.rule, number))
    return found


def _check_regions(counted: dict[str, Any]) -> list[Check]:
    if counted["regions"]:
        return []
    return [Check("empty", FAILED, "The pass saw no settled region: there is nothing to release yet.")]


def _check_classes(counted: dict[str, Any]) -> list[Check]:
    learned = [one for one in counted["classes"] if not one["is_special"]]
    present = [one for one in learned if one["all"]]
    found = []
    for codes, said in (
        ([one["code"] for one in learned if not one["all"]], "No region of {}."),
        (
            [one["code"] for one in present if not one[splits.TEST]],
            "No region of {} in the test split: how well a model knows that can't be said.",
        ),
        (
            [one["code"] for one in present if not one[splits.TRAIN]],
            "No region of {} in the training split: nothing can learn that.",
        ),
    ):
        if codes:
            found.append(Check("classes", NOTED, said.format(", ".join(codes)), count=len(codes)))
    return found or [Check("classes", PASSED, "Every class is in the training and in the test split.")]


def _check_warnings(groups: list[findings.Group]) -> list[Check]:
    number = sum(group.counts["open_warnings"] for group in groups)
    if not number:
        return [Check("warnings", PASSED, "No warning is open.")]
    return [Check("warnings", NOTED, f"{_many(number, 'warning')} open: the datasheet will tell them.", count=number)]


def _check_age(row: ConsistencyPass) -> list[Check]:
    moved = passes.moves_since(row)
    if not moved["changes"]:
        return [Check("stale", PASSED, "Nothing has changed since the pass.")]
    more = " or more" if moved["is_capped"] else ""
    said = f"{_many(moved['changes'], 'change')}{more} to answers and truth since the pass are not in it."
    return [Check("stale", NOTED, said, count=moved["changes"])]


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
