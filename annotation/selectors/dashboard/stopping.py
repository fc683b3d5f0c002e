"""Early stops and their planted checks: whether asking fewer people than the maximum costs anything.

Decides what a manager sees of them; refuses to count (`selectors.early_stops`).
"""

from annotation.policy import Policy
from annotation.selectors import early_stops
from annotation.selectors.dashboard.board import Board
from annotation.selectors.dashboard.panel import Cell, Content, Panel, Table, columns
from annotation.selectors.early_stops import EarlyStops


def _read(board: Board) -> Content:
    policy = board.study.policy
    found: EarlyStops = board.keep("early_stops", lambda: early_stops.read(board.study))
    if not found.planted and not found.unchecked:
        return Content([], empty=_say_why(policy))
    names = {one.code: one.name for one in board.reading.classes}
    tables = [_tabulate(found)] + ([_tabulate_changes(found, names)] if found.changes else [])
    notes = [found.say()]
    if not policy.planted_check_rate:
        notes.append("No share of early stops is checked: set one in the policy to learn what they cost.")
    return Content(tables, notes=notes)


def _say_why(policy: Policy) -> str:
    if policy.fixed_overlap:
        return "Every region gets the same number of opinions in this study: nothing stops early."
    return (
        "No region has settled with fewer opinions than the maximum yet. Once some have, this tells what it costs to "
        "stop early."
    )


def _tabulate(found: EarlyStops) -> Table:
    error = found.error
    shares: list[Cell] = [None, None, None]
    if error is not None:
        shares = [round(error.value, 4), round(error.low, 4), round(error.high, 4)]
    row: list[Cell] = [found.planted, found.decided, found.changed, *shares, found.asked, found.unchecked]
    described = columns(
        ("planted", "Early stops checked", "count"),
        ("decided", "Decided", "count"),
        ("changed", "Another label", "count"),
        ("error", "Error of stopping early", "share"),
        ("low", "95% from", "share"),
        ("high", "to", "share"),
        ("asked", "Further opinions asked", "count"),
        ("unchecked", "Settled early, not checked", "count"),
    )
    return Table("checks", "Early stops that went on to the maximum", described, [row])


def _tabulate_changes(found: EarlyStops, names: dict[str, str]) -> Table:
    rows: list[list[Cell]] = [
        [names.get(early, early), names.get(final, final), count]
        for (early, final), count in sorted(found.changes.items(), key=lambda item: (-item[1], item[0]))
    ]
    described = columns(("early", "Would have been"), ("final", "Became"), ("regions", "Regions", "count"))
    return Table("changes", "What changed", described, rows)


PANEL = Panel(
    name="stopping",
    title="Early stops",
    meaning="Whether asking no more people once they agree costs anything: some regions are asked on to find out.",
    read=_read,
    seconds=30,
)
