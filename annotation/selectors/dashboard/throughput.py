"""Who answers how much, by day.

Decides how days and people are grouped for a page; refuses to rate anybody: how right people are is in `reliability`.
"""

from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Any

from django.db.models import Aggregate, Count, FloatField, Max, Q
from django.db.models.functions import TruncDay

from annotation.models import Annotation
from annotation.selectors.dashboard.board import Board
from annotation.selectors.dashboard.filters import Filters, start_of
from annotation.selectors.dashboard.panel import Cell, Content, Panel, Table, columns
from annotation.states import AnswerKind

DEFAULT_DAYS = 28
MOST_DAYS = 92
NAMED_PEOPLE = 5
OTHERS = "others"


class Median(Aggregate):
    """PostgreSQL's continuous median."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


def _read(board: Board) -> Content:
    since, until = _span(board)
    span = Filters(domain=board.filters.domain, annotator=board.filters.annotator, since=since, until=until)
    by_day, people = board.keep("throughput", lambda: (_count_days(board, span), _count_people(board, span)))
    if not people:
        empty = (
            f"Nobody answered between {since} and {until}. Choose other filters, or see under Set-up who is a member "
            "and whether the study is open."
        )
        return Content([], empty=empty)
    notes = ["Days are UTC. An answer taken back later counts here: it was work."]
    if until - since >= timedelta(days=MOST_DAYS):
        notes.append("More than three months are shown by week, each under its Monday.")
    return Content(tables=[_tabulate_days(board, by_day, since, until), _tabulate_people(board, people)], notes=notes)


def _span(board: Board) -> tuple[date, date]:
    until = board.filters.until or board.reading.at.date()
    since = board.filters.since or until - timedelta(days=DEFAULT_DAYS - 1)
    return min(since, until), until


def _answers(board: Board, span: Filters) -> Any:
    return Annotation.objects.filter(span.answers(), study=board.study).exclude(kind=AnswerKind.WITHDRAWN).order_by()


def _count_days(board: Board, span: Filters) -> list[tuple[date, str, int]]:
    rows = _answers(board, span).values_list(TruncDay("created_at"), "annotator__pseudonym")
    return [(moment.date(), name, count) for moment, name, count in rows.annotate(count=Count("pk"))]


def _count_people(board: Board, span: Filters) -> list[tuple[Any, ...]]:
    rows = _answers(board, span).values_list("annotator__pseudonym")
    counted = rows.annotate(
        answers=Count("pk"),
        median=Median("seconds"),
        flagged=Count("pk", filter=Q(is_flagged=True)),
        newest=Max("created_at"),
    )
    return sorted(counted, key=lambda row: (-row[1], row[0]))


def _tabulate_days(board: Board, by_day: list[tuple[date, str, int]], since: date, until: date) -> Table:
    weekly = until - since >= timedelta(days=MOST_DAYS)
    # Weeks of nothing before the first answer or after today are not worth a row.
    since, until = max(since, min(day for day, _, _ in by_day)), min(until, board.reading.at.date())
    totals: Counter[str] = Counter()
    cells: dict[date, Counter[str]] = defaultdict(Counter)
    for day, name, count in by_day:
        totals[name] += count
        cells[_bucket(day, weekly)][name] += count
    named = [name for name, _ in sorted(totals.items(), key=lambda one: (-one[1], one[0]))[:NAMED_PEOPLE]]
    rest = [OTHERS] if len(totals) > NAMED_PEOPLE else []
    rows: list[list[Cell]] = []
    for day in _list_buckets(since, until, weekly):
        found = cells[day]
        own = [found[name] for name in named]
        rows.append([day.isoformat(), found.total(), *own, *([found.total() - sum(own)] if rest else [])])
    described = columns(
        ("day", "Week of" if weekly else "Day", "day"),
        ("answers", "All answers", "count"),
        *((name, name, "count") for name in [*named, *rest]),
    )
    return Table("days", "Answers by week" if weekly else "Answers by day", described, rows)


def _bucket(day: date, weekly: bool) -> date:
    return day - timedelta(days=day.weekday()) if weekly else day


def _list_buckets(since: date, until: date, weekly: bool) -> list[date]:
    step = timedelta(days=7 if weekly else 1)
    first = _bucket(since, weekly)
    return [first + step * place for place in range((until - first) // step + 1)]


def _tabulate_people(board: Board, people: list[tuple[Any, ...]]) -> Table:
    """By pseudonym: names stay on the members page, as tables are exported and pictures of them shared."""
    roles = {one.pseudonym: one.role for one in board.reading.members}
    rows: list[list[Cell]] = [
        [
            name,
            roles.get(name, ""),
            answers,
            None if median is None else round(median, 1),
            flagged,
            start_of(newest.date()).date().isoformat(),
        ]
        for name, answers, median, flagged, newest in people
    ]
    described = columns(
        ("annotator", "Person"), ("role", "Role"), ("answers", "Answers", "count"),
        ("median_seconds", "Median time", "seconds"), ("flagged", "Flagged", "count"), ("newest", "Last answer", "day"),
    )  # fmt: skip
    return Table("people", "Answers by person", described, rows)


PANEL = Panel(
    name="throughput",
    title="Throughput",
    meaning="Answers by day and person, of the last four weeks unless other days are chosen.",
    read=_read,
    filters=frozenset({"domain", "annotator", "since", "until"}),
)
