"""How far: regions by state, settled regions over time, and when the rest may be done.

Decides what progress shows; the outlook is `outlook`, what is settled decided the services.
"""

from datetime import timedelta

from annotation.selectors.dashboard import flow, outlook
from annotation.selectors.dashboard.board import Board
from annotation.selectors.dashboard.panel import Cell, Content, Panel, Table, columns
from annotation.states import RegionState

STATES = {
    RegionState.SETTLED: "Settled",
    RegionState.QUEUED: "Collecting opinions",
    RegionState.ADJUDICATION: "Waits for an adjudicator",
    RegionState.EXCLUDED: "Excluded",
    RegionState.POOL: "Never queued",
}
SHOWN_DAYS = 28


def count_states(board: Board) -> dict[str, int]:
    """Regions by state; what is not counted otherwise was never queued."""
    counts = dict.fromkeys(STATES, 0)
    for one in board.worked:
        counts[RegionState(one.state)] += one.regions
    total = sum(one.regions for one in board.domains)
    counts[RegionState.POOL] = max(total - sum(counts.values()), 0)
    return {state.value: count for state, count in counts.items()}


def _read(board: Board) -> Content:
    counts = count_states(board)
    total = sum(counts.values())
    if not total:
        return Content([], empty="There are no regions yet. Add slides in the set-up: they are cut into regions there.")
    stretch, goals = outlook.read(board)
    return Content(
        tables=[_tabulate_goals(goals), _tabulate_states(counts, total), _tabulate_days(board, counts)],
        notes=[_explain(board, stretch)],
        data={"total": total, "per_day": round(stretch.per_day, 1)},
    )


def _explain(board: Board, stretch: outlook.Stretch) -> str:
    if len(stretch.counts):
        return (
            f"Settled per day: {stretch.per_day:.1f}, from {stretch.describe()}. The range holds 8 of 10 redrawn pasts "
            "(bootstrap over those days or hours); people who join or leave are not in it."
        )
    if flow.read(board).hours:
        return "Work has just begun: a rate is told once the first full hour is over."
    return "Nothing has been settled in the last four weeks, so there is no rate to go by."


def _tabulate_goals(goals: list[outlook.Outlook]) -> Table:
    return Table(
        "forecast",
        "When it may be done",
        columns(
            ("goal", "Goal"), ("remaining", "Regions left", "count"),
            ("answers", "Answers they take", "count"), ("answers_high", "at most", "count"),
            ("earliest", "Earliest", "day"), ("likely", "Likely", "day"), ("latest", "Latest", "day"),
            ("says", "How sure"),
        ),
        [
            [one.goal, one.remaining, *(one.answers or (None, None)), _day(one.earliest), _day(one.likely),
             _day(one.latest), _say(one)]
            for one in goals
        ],
    )  # fmt: skip


def _say(one: outlook.Outlook) -> str:
    if one.likely is None and one.says.startswith("At the rate"):
        return "Not within ten years at this rate."
    if one.latest is None and one.likely is not None:
        return f"{one.says} In bad weeks it is not reached at all."
    return one.says


def _day(moment: object) -> Cell:
    return moment.isoformat()[:10] if hasattr(moment, "isoformat") else None


def _tabulate_states(counts: dict[str, int], total: int) -> Table:
    rows: list[list[Cell]] = [
        [label, counts[state.value], round(counts[state.value] / total, 4)] for state, label in STATES.items()
    ]
    described = columns(("state", "State"), ("regions", "Regions", "count"), ("share", "Share", "share"))
    return Table("states", "Regions by state", described, [*rows, ["All", total, 1.0]])


def _tabulate_days(board: Board, counts: dict[str, int]) -> Table:
    """Settled regions at the end of each day: from now backwards, so that the last day is what is true now."""
    settled = counts[RegionState.SETTLED.value]
    net = {day: sum(found.values()) for day, found in flow.read(board).days().items()}
    rows: list[list[Cell]] = []
    today = board.reading.at.date()
    for day in [today - timedelta(days=back) for back in range(SHOWN_DAYS if net else 0)]:
        rows.append([day.isoformat(), net.get(day, 0), max(settled, 0)])
        settled -= net.get(day, 0)
        if day < min(net):
            break  # the day before the first one is shown, so that a line begins where the work did
    described = columns(("day", "Day", "day"), ("settled", "Settled that day", "count"), ("total", "In all", "count"))
    return Table("days", "Settled by day", described, rows[::-1])


PANEL = Panel(
    name="progress",
    title="Progress and forecast",
    meaning="A region is settled when enough people agree for the study's target, or when a person decided.",
    read=_read,
    filters=frozenset({"domain"}),
)
