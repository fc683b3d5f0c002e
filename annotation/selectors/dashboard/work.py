"""The engine room: what waits for people, what waits for workers, and whether there are workers at all.

Decides when a worker counts as gone and which jobs are listed; refuses to repair: the sweep does.
"""

from datetime import datetime, timedelta

from django.db.models import Count, Min, Q

from annotation.models import Assignment, Job, Pick, WorkerStamp
from annotation.selectors.dashboard.board import Board
from annotation.selectors.dashboard.panel import Cell, Content, Panel, Table, columns
from annotation.services import worth
from annotation.states import AssignmentState, JobState, PickState

LATE_AFTER = timedelta(seconds=30)
MOST_JOBS = 25
QUEUES = ("io", "cpu", "train", "encoder")
_LISTED = (JobState.FAILED, JobState.RUNNING, JobState.READY)


def _read(board: Board) -> Content:
    jobs = list_jobs(board)
    tables = [_tabulate_queue(board), _tabulate_workers(board), _tabulate_states(board)]
    if jobs:
        tables.append(_tabulate_jobs(jobs))
    notes = _say_gains(board)
    if len(jobs) == MOST_JOBS:
        notes.append(f"The list holds {MOST_JOBS} jobs, failed ones first; retry these and the next ones come.")
    return Content(tables=tables, notes=notes)


def count_jobs(board: Board) -> dict[str, int]:
    """Jobs by state."""
    rows = Job.objects.filter(study=board.study).order_by().values_list("state").annotate(count=Count("pk"))
    return board.reading.once("jobs", lambda: dict(rows))


def list_jobs(board: Board) -> list[Job]:
    """Jobs that failed, run or wait: failed ones first, newest first."""
    rows = Job.objects.filter(study=board.study, state__in=_LISTED).order_by("-id")
    failed = list(rows.filter(state=JobState.FAILED)[:MOST_JOBS])
    return [*failed, *rows.exclude(state=JobState.FAILED)[: MOST_JOBS - len(failed)]]


def find_late_queues(board: Board) -> list[str]:
    """Queues of jobs that no worker has read of late."""
    stamps = _read_stamps(board)
    return [queue for queue in QUEUES if queue not in stamps or _is_late(stamps[queue].seen_at, board.reading.at)]


def _read_stamps(board: Board) -> dict[str, WorkerStamp]:
    return board.reading.once("stamps", lambda: {one.queue: one for one in WorkerStamp.objects.order_by("queue")})


def _is_late(seen_at: datetime | None, at: datetime) -> bool:
    return seen_at is None or at - seen_at > LATE_AFTER


def _tabulate_queue(board: Board) -> Table:
    live = Pick.objects.filter(study=board.study, state__in=[PickState.OPEN, PickState.ADJUDICATION])
    counts = live.aggregate(
        fresh=Count("pk", filter=Q(state=PickState.OPEN, has_begun=False)),
        begun=Count("pk", filter=Q(state=PickState.OPEN, has_begun=True)),
        free=Count("pk", filter=Q(state=PickState.OPEN, slots_open__gt=0)),
        ties=Count("pk", filter=Q(state=PickState.ADJUDICATION)),
    )
    held = Assignment.objects.filter(state=AssignmentState.LEASED, study=board.study)
    leases = held.aggregate(count=Count("pk"), oldest=Min("leased_at"))
    rows: list[list[Cell]] = [
        ["Regions nobody has begun", counts["fresh"], None],
        ["Regions collecting opinions", counts["begun"], None],
        ["Regions with a free place", counts["free"], None],
        ["Regions waiting for an adjudicator", counts["ties"], None],
        ["Leases held now", leases["count"], _time(leases["oldest"])],
    ]
    return Table(
        "queue", "Queue", columns(("what", "What"), ("count", "Count", "count"), ("since", "Oldest", "time")), rows
    )


def _say_gains(board: Board) -> list[str]:
    """Where the study weighs one against the other: what another opinion is worth now, beside a new region."""
    if not worth.is_weighed(board.study.policy):
        return []
    asked = Pick.objects.filter(study=board.study, state=PickState.OPEN, slots_open__gt=0, has_begun=True)
    first, later = (asked.filter(is_deferred=is_deferred).count() for is_deferred in (False, True))
    said = f"Another opinion on {first} {_regions(first)} is worth more than a new one."
    if later:
        said += f" On {later} {_regions(later)} it is worth less: new ones come first."
    return [said]


def _regions(count: int) -> str:
    return "region" if count == 1 else "regions"


def _tabulate_workers(board: Board) -> Table:
    stamps = _read_stamps(board)
    rows: list[list[Cell]] = []
    for queue in sorted({*QUEUES, *stamps}):
        stamp = stamps.get(queue)
        seen = stamp.seen_at if stamp else None
        state = "late" if _is_late(seen, board.reading.at) else "here"
        rows.append([queue, "never seen" if seen is None else state, _minute(seen), stamp.worker if stamp else ""])
    described = columns(("queue", "Queue"), ("state", "State"), ("seen_at", "Last seen", "time"), ("worker", "Worker"))
    return Table("workers", "Workers", described, rows)


def _tabulate_states(board: Board) -> Table:
    counts = count_jobs(board)
    rows: list[list[Cell]] = [[state.value, counts.get(state.value, 0)] for state in JobState]
    return Table("states", "Jobs by state", columns(("state", "State"), ("jobs", "Jobs", "count")), rows)


def _tabulate_jobs(jobs: list[Job]) -> Table:
    rows: list[list[Cell]] = [
        [
            one.pk, one.kind, one.key, one.state, f"{one.attempt} of {one.max_attempts}",
            round(one.done_units / one.total_units, 2) if one.total_units else None, _minutes(one.seconds_left),
            _time(one.created_at), one.error,
        ]
        for one in jobs
    ]  # fmt: skip
    described = columns(
        ("id", "Job", "count"), ("kind", "Kind"), ("key", "Of"), ("state", "State"), ("attempts", "Attempts"),
        ("done", "Done", "share"), ("left", "Minutes left, about", "count"), ("created_at", "Since", "time"),
        ("error", "What went wrong"),
    )  # fmt: skip
    return Table("jobs", "Jobs that failed, run or wait", described, rows)


def _minutes(seconds: int | None) -> Cell:
    """Whole minutes, at least one: more exact is neither known nor worth telling a page again."""
    return None if seconds is None else max(1, round(seconds / 60))


def _time(moment: datetime | None) -> Cell:
    return moment.isoformat(timespec="seconds") if moment else None


def _minute(moment: datetime | None) -> Cell:
    """To the minute: a worker stamps each few seconds, and a page need not be told each time."""
    return moment.replace(second=0, microsecond=0).isoformat(timespec="minutes") if moment else None


PANEL = Panel(
    name="work",
    title="Queue, workers and jobs",
    meaning="What waits for people and for workers. A failed job says what went wrong; mend that, then retry it.",
    read=_read,
    seconds=10,
)
