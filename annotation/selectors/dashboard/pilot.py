"""What a pilot has shown: how many answers ranking saves, with an interval, or how far the pilot is.

Decides the sentences; the comparison was made by workers when the pilot ended, and lies with a model's numbers.
"""

from typing import Any

from annotation.models import ModelVersion
from annotation.selectors.dashboard.board import Board
from annotation.selectors.dashboard.panel import Cell, Table, columns
from annotation.services import pilot

_BASES = {
    "audit": "judged on {items} regions of {cases} cases, the gate half of the audit sample",
    "out-of-fold": "judged on the {items} random regions themselves, each by models that saw none of its case, as the "
    "audit sample is too small yet ({cases} cases)",
}
_TOO_SHORT = "The pilot was too short to say what ranking saves: each half needs 20 labels. Ask for more regions."


def say(board: Board) -> list[str]:
    """One or two sentences; none where there was no pilot and none is wanted."""
    found, wanted = read(board), board.study.policy.pilot_regions
    if found is not None:
        return [_conclude(found), _explain(found)] if "saved" in found else [_TOO_SHORT]
    if not wanted:
        return []
    if pilot.is_running(board.study):
        done = pilot.count_settled(board.study)
        return [f"Pilot: {done} of {wanted} regions are settled. Half of each batch is drawn at random until then."]
    return ["The pilot has ended. What ranking saves is said once the next model has been trained."]


def read(board: Board) -> dict[str, Any] | None:
    """The newest comparison; None before there is one."""
    rows = ModelVersion.objects.filter(study=board.study, numbers__has_key="pilot").order_by("-number")
    return board.reading.once("pilot", lambda: rows.values_list("numbers__pilot", flat=True).first())


def tabulate(board: Board) -> list[Table]:
    """The two halves' curves."""
    found = read(board)
    if found is None or "curve" not in found:
        return []
    described = columns(
        ("labels", "Labels of each half", "count"), ("ranked_answers", "Answers, ranked", "count"),
        ("ranked", "Macro-F1, ranked", "number"), ("random_answers", "Answers, random", "count"),
        ("random", "Macro-F1, random", "number"),
    )  # fmt: skip
    rows: list[list[Cell]] = [
        [int(labels), int(paid), score, int(other_paid), other_score]
        for labels, paid, score, other_paid, other_score in found["curve"]
    ]
    return [Table("pilot", "Pilot: ranked half beside random half", described, rows)]


def _conclude(found: dict[str, Any]) -> str:
    value, low, high = found["saved"]
    if low > 0:
        return f"Ranking saves {value:.0%} of the answers (95% from {low:.0%} to {high:.0%})."
    if high < 0:
        bounds = f"95% from {-high:.0%} to {-low:.0%}"
        return f"Ranking costs {-value:.0%} more answers ({bounds}): think of drawing at random instead."
    return f"The pilot does not show whether ranking saves answers: {value:.0%} (95% from {low:.0%} to {high:.0%})."


def _explain(found: dict[str, Any]) -> str:
    (ranked, *_), (random, *_), (gap, low, high) = found["ranked"], found["random"], found["difference"]
    basis = _BASES[found["basis"]].format(**found)
    return (
        f"Models trained on {found['labels']} labels of each half have a macro-F1 of {ranked:.2f} (ranked) and "
        f"{random:.2f} (random), {gap:+.2f} (95% from {low:+.2f} to {high:+.2f}), {basis}. The intervals redraw "
        "these cases and the regions of each half."
    )
