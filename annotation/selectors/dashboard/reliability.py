"""How far each person can be trusted: confusion matrices of the newest fit, gold and repeats.

Decides what of a snapshot is shown; the fit is that of `services.consensus`, on which submits rest.
"""

from typing import Any

import numpy as np

from annotation.models import ReliabilitySnapshot
from annotation.selectors.dashboard import checks
from annotation.selectors.dashboard.board import Board
from annotation.selectors.dashboard.panel import Cell, Content, Described, Panel, Table, columns
from learning.shares import estimate_share


def _read(board: Board) -> Content:
    snapshot = _newest(board)
    done = checks.read(board.narrowed(frozenset()))
    measured = snapshot.reliability if snapshot else {}
    known = [one.pseudonym for one in board.reading.members if one.pseudonym in measured or done.gold[one.pseudonym]]
    known += [
        one.pseudonym for one in board.reading.members if done.repeats[one.pseudonym] and one.pseudonym not in known
    ]
    if not known:
        every = board.study.policy.refit_every_answers
        empty = (
            f"Nobody's reliability is known yet: it is fitted each {every} answers. Gold and repeats follow the policy."
        )
        return Content([], empty=empty)
    chosen = _choose(board, measured)
    tables = [_tabulate_people(known, measured, done)]
    if snapshot is not None and chosen in snapshot.confusion:
        tables.append(_tabulate_confusion(board, snapshot, chosen))
        tables += _tabulate_ranges(board, snapshot, chosen)
    return Content(tables=tables, notes=_explain(snapshot), data={"chosen": chosen, "people": sorted(measured)})


def _newest(board: Board) -> ReliabilitySnapshot | None:
    rows = ReliabilitySnapshot.objects.filter(study=board.study, protocol=board.study.protocol_id)
    return rows.order_by("-number").first()


def _choose(board: Board, measured: dict[str, Any]) -> str:
    """The person filtered for, else the one with most answers."""
    if board.filters.annotator or not measured:
        return board.filters.annotator
    return max(sorted(measured), key=lambda name: int(measured[name]["answers"]))


def _tabulate_people(known: list[str], measured: dict[str, Any], done: checks.Checks) -> Table:
    rows: list[list[Cell]] = []
    for name in sorted(known, key=lambda one: (len(one), one)):
        own = measured.get(name)
        mean = [round(float(np.mean(own[key])), 4) if own else None for key in ("mean", "low", "high")]
        gold = estimate_share(yes=done.gold_right[name], count=done.gold[name])
        same = estimate_share(yes=done.repeats_same[name], count=done.repeats[name])
        shares: list[Cell] = []
        for count, share in ((done.gold[name], gold), (done.repeats[name], same)):
            shares += [count, *([round(one, 4) for one in (share.value, share.low)] if share else [None, None])]
        rows.append([name, own["answers"] if own else 0, *mean, *shares])
    described = columns(
        ("annotator", "Person"), ("answers", "Fair answers", "count"), ("right", "Right, mean over classes", "share"),
        ("right_low", "from", "share"), ("right_high", "to", "share"), ("gold", "Gold", "count"),
        ("gold_right", "Gold right", "share"), ("gold_low", "at least", "share"), ("repeats", "Repeats", "count"),
        ("repeats_same", "Repeats the same", "share"), ("repeats_low", "at least", "share"),
    )  # fmt: skip
    return Table("people", "Reliability by person", described, rows)


def _tabulate_confusion(board: Board, snapshot: ReliabilitySnapshot, name: str) -> Table:
    names = {one.code: one.name for one in board.reading.classes}
    codes = [str(code) for code in snapshot.class_codes]
    rows: list[list[Cell]] = [
        [names.get(code, code), *(round(float(value), 4) for value in row)]
        for code, row in zip(codes, snapshot.confusion[name], strict=True)
    ]
    answered: tuple[Described, ...] = tuple((code, names.get(code, code), "share") for code in codes)
    title = f"What {name} answers (columns) to each true class (rows)"
    return Table("confusion", title, columns(("truth", "True class"), *answered), rows)


def _tabulate_ranges(board: Board, snapshot: ReliabilitySnapshot, name: str) -> list[Table]:
    """Each cell of the person's matrix with its interval, from the fair answers; none in older fits."""
    cells = snapshot.reliability.get(name, {}).get("cells")
    if not cells:
        return []
    names = {one.code: one.name for one in board.reading.classes}
    codes = [names.get(str(code), str(code)) for code in snapshot.class_codes]
    rows: list[list[Cell]] = [
        [truth, answer, *(cells[key][row][column] for key in ("mean", "low", "high"))]
        for row, truth in enumerate(codes)
        for column, answer in enumerate(codes)
    ]
    described = columns(
        ("truth", "True class"), ("answer", "Answer"), ("share", "Share", "share"), ("low", "from", "share"),
        ("high", "to", "share"),
    )  # fmt: skip
    return [Table("ranges", f"How sure each cell of {name} is, by fair answers alone", described, rows)]


def _explain(snapshot: ReliabilitySnapshot | None) -> list[str]:
    if snapshot is None:
        return ["No fit under the current protocol yet: only gold and repeats are shown."]
    return [
        f"Fit {snapshot.number} of {snapshot.created_at:%Y-%m-%d %H:%M} UTC (Dawid-Skene) rests on {snapshot.answers} "
        "answers; the ranges on the fair ones alone (audit sample and random share), so few of them mean a wide range.",
    ]


PANEL = Panel(
    name="reliability",
    title="Reliability of annotators",
    meaning="How often each person is right, where each mixes up classes, and whether each agrees with themselves.",
    read=_read,
    filters=frozenset({"annotator"}),
    seconds=30,
)
