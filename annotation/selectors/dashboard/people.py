"""Checks on people: who has fallen off, how far suggestions sway whom, the entry test, and how much gold there is.

Decides what a manager sees of them; what drift, sway and passing are is decided where they are reckoned.
"""

from dataclasses import dataclass
from typing import Any

from annotation.models import ReliabilitySnapshot
from annotation.selectors import gold, qualification, sway
from annotation.selectors.dashboard.board import Board
from annotation.selectors.dashboard.panel import Cell, Content, Panel, Table, columns
from learning.consensus.sway import estimate_sway


@dataclass(frozen=True, slots=True)
class Drifting:
    """Who has fallen off in the newest fit: since which day, and the share of right checks before and now."""

    name: str
    since: str
    before: float
    now: float


def find_drifting(board: Board) -> list[Drifting]:
    """Everybody whose checks have fallen off, by name."""
    fit: ReliabilitySnapshot | None = board.reading.once("people-fit", lambda: _newest(board))
    known: dict[str, Any] = fit.reliability if fit else {}
    found = [(name, one["drift"]) for name, one in known.items() if one.get("drift")]
    rows = [Drifting(name, one["since"], one["before"], one["now"]) for name, one in found]
    return sorted(rows, key=lambda one: (len(one.name), one.name))


def _newest(board: Board) -> ReliabilitySnapshot | None:
    rows = ReliabilitySnapshot.objects.filter(study=board.study, protocol=board.study.protocol_id)
    return rows.only("reliability", "number").order_by("-number").first()


def find_standings(board: Board) -> dict[str, qualification.Standing]:
    """How everybody stands in the entry test; empty where there is none."""
    return board.reading.once("standings", lambda: qualification.of_study(board.study))


def read_gold(board: Board) -> list[tuple[str, int, int]]:
    """(class, gold in the queue, gold in the entry test) of each of today's classes."""
    return board.reading.once("gold", lambda: _count_gold(board))


def _count_gold(board: Board) -> list[tuple[str, int, int]]:
    checks = gold.count_by_class(board.study, is_qualification=False)
    tests = gold.count_by_class(board.study, is_qualification=True)
    return [(one.name, checks[one.code], tests[one.code]) for one in board.reading.classes]


def _read(board: Board) -> Content:
    tables = [_tabulate_drift(board), _tabulate_sway(board), _tabulate_tests(board), _tabulate_gold(board)]
    shown = [one for one in tables if one.rows]
    notes = [
        "Who has fallen off weighs less, settles no region alone, and a further person is asked, until the checks are "
        "good again."
    ]
    empty = "Nobody has fallen off, and nothing is tested: gold, an entry test and wrong suggestions follow the policy."
    return Content(tables=shown, notes=notes if find_drifting(board) else [], empty="" if shown else empty)


def _tabulate_drift(board: Board) -> Table:
    described = columns(
        ("annotator", "Person"), ("since", "Since", "time"), ("before", "Right before", "share"),
        ("now", "Right in the last checks", "share"),
    )  # fmt: skip
    rows: list[list[Cell]] = [[one.name, one.since, one.before, one.now] for one in find_drifting(board)]
    return Table("drift", "People whose checks have fallen off", described, rows)


def _tabulate_sway(board: Board) -> Table:
    tallies: dict[str, sway.Tally] = board.keep("sway", lambda: sway.tally(board.study, codes=board.reading.codes))
    asked = {name: one for name, one in tallies.items() if one.planted}
    everybody = sum(tallies.values(), start=sway.Tally())
    rows = [_reckon(name, one) for name, one in sorted(asked.items(), key=lambda one: (len(one[0]), one[0]))]
    described = columns(
        ("annotator", "Person"), ("planted", "Wrong suggestions", "count"), ("followed", "Followed", "count"),
        ("controls", "Without any", "count"), ("lapses", "Same slip", "count"), ("sway", "Swayed", "share"),
        ("low", "at least", "share"), ("high", "at most", "share"),
    )  # fmt: skip
    return Table(
        "sway", "How far suggestions sway", described, [_reckon("everybody", everybody), *rows] if rows else []
    )


def _reckon(name: str, one: sway.Tally) -> list[Cell]:
    found = estimate_sway(followed=one.followed, planted=one.planted, lapses=one.lapses, controls=one.controls)
    shares: list[Cell] = [round(value, 4) for value in (found.value, found.low, found.high)] if found else [None] * 3
    return [name, one.planted, one.followed, one.controls, one.lapses, *shares]


def _tabulate_tests(board: Board) -> Table:
    described = columns(
        ("annotator", "Person"), ("state", "Entry test"), ("right", "Right", "count"), ("done", "Answered", "count"),
        ("of", "Asked", "count"), ("tries", "Tries over", "count"),
    )  # fmt: skip
    rows: list[list[Cell]] = [
        [name, one.state, one.right, one.done, one.of, one.tries] for name, one in find_standings(board).items()
    ]
    return Table("tests", "The entry test", described, rows)


def _tabulate_gold(board: Board) -> Table:
    described = columns(
        ("class", "Class"), ("checks", "In the queue", "count"), ("tests", "In the entry test", "count")
    )
    counted = read_gold(board)
    rows: list[list[Cell]] = [list(row) for row in counted] if any(sum(row[1:]) for row in counted) else []
    return Table("gold", "Gold that may be asked", described, rows)


PANEL = Panel(
    name="people",
    title="Checks on people",
    meaning="Whose checks have fallen off, how far suggestions sway people, and how the entry test went.",
    read=_read,
    seconds=30,
)
