"""At a glance: how far, how good, how fair, and what to do next.

Decides which one number stands for each question; the panels below have the rest.
"""

from datetime import datetime
from typing import Any

import numpy as np

from annotation.selectors.dashboard import actions, agreement, outlook, progress, quotas, versions
from annotation.selectors.dashboard.board import Board
from annotation.selectors.dashboard.panel import Cell, Content, Panel, Table, columns
from annotation.states import ModelState, RegionState


def _read(board: Board) -> Content:
    states = progress.count_states(board)
    tiles: list[list[Cell]] = [_say_far(board, states), _say_good(board), _say_model(board), _say_fair(board)]
    todo = actions.read(board)
    return Content(
        tables=[
            Table(
                "tiles",
                "At a glance",
                columns(("question", "Question"), ("value", "Answer"), ("means", "That is")),
                tiles,
            ),
            Table(
                "actions",
                "What to do next",
                columns(("what", "What"), ("how", "How"), ("target", "Where")),
                [[one.what, one.how, one.target] for one in todo],
            ),
        ],
        empty="" if todo else "Nothing needs you now: people answer and the machine works.",
    )


def _say_far(board: Board, states: dict[str, int]) -> list[Cell]:
    settled, total = states[RegionState.SETTLED.value], sum(states.values())
    if not total:
        return ["How far", "not begun", "no regions yet"]
    _, goals = outlook.read(board)
    goal = next((one for one in goals if one.goal.startswith("Every class")), goals[0])
    means = [f"settled of {total:,} regions", _say_range(goal)]
    return ["How far", f"{settled:,}", "; ".join(one for one in means if one)]


def _say_range(goal: outlook.Outlook) -> str:
    name = goal.goal[0].lower() + goal.goal[1:]
    if not goal.remaining:
        return f"{name}: done"
    if goal.earliest is None:
        return f"{name}: too early to say" if goal.says.startswith("Too early") else f"{name}: not at this rate"
    return f"{name} between {_day(goal.earliest)} and {_day(goal.latest)}"


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "never"


def _say_good(board: Board) -> list[Cell]:
    found = agreement.measure(board)
    if "all" not in found:
        return ["How good: people", "not yet", "too few fair regions with two answers to measure agreement"]
    alpha = found["all"].alpha
    if not np.isfinite(alpha.value):
        return ["How good: people", "not defined", "everybody gives one class: nothing tells people apart"]
    bounds = f", 95% from {alpha.low:.2f} to {alpha.high:.2f}" if np.isfinite(alpha.low) else ""
    return ["How good: people", f"{alpha.value:.2f}", f"Krippendorff's alpha on the fair regions{bounds}"]


def _say_model(board: Board) -> list[Cell]:
    active = next((one for one in versions.read(board) if one.state == ModelState.ACTIVE), None)
    if active is None:
        return ["How good: model", "none", "no model is active yet"]
    if active.everywhere:
        return ["How good: model", *_say_everywhere(active.number, active.everywhere, active.audit_f1 is not None)]
    score, where = active.audit_f1, "on the audit sample"
    if score is None:
        score, where = active.out_of_fold_f1, "out of fold, as the audit sample had too few items"
    if score is None:
        return ["How good: model", f"model {active.number}", "its scores were not written down"]
    return ["How good: model", f"{score:.2f}", f"macro-F1 of model {active.number} {where}"]


def _say_everywhere(number: int, found: dict[str, Any], is_audit: bool) -> list[Cell]:
    value, low, high = found["macro_f1"]
    by = f"{found['drawn']} audit items" if is_audit else f"{found['drawn']} random picks, as audit items were too few"
    return [f"{value:.2f}", f"macro-F1 of model {number} over all regions, 95% from {low:.2f} to {high:.2f}, by {by}"]


def _say_fair(board: Board) -> list[Cell]:
    classes = [one for one in quotas.read(board) if one.quota]
    full = sum(not one.missing for one in classes)
    shares = {one.name: one.regions for one in board.domains if one.regions}
    settled = dict.fromkeys(shares, 0)
    for one in board.worked:
        if one.state == RegionState.SETTLED and one.domain in settled:
            settled[one.domain] += one.regions
    means = []
    if classes:
        means.append(f"classes at their quota: {full} of {len(classes)}")
    if len(shares) > 1:
        least = min(sorted(shares), key=lambda name: settled[name] / shares[name])
        means.append(f"least covered domain: {least}, {settled[least] / shares[least]:.1%} settled")
    covered = sum(count > 0 for count in settled.values())
    value = f"{covered} of {len(shares)}" if shares else "not yet"
    return ["How fair", value, "; ".join(["domains with settled regions", *means]) if shares else "no regions yet"]


PANEL = Panel(
    name="summary",
    title="At a glance",
    meaning="One number for each question, and what to do next.",
    read=_read,
    seconds=10,
)
