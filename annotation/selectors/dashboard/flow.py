"""Settled regions over time: how many joined the truth in each hour, less those that were opened again.

Decides what counts as a step of progress; refuses to foretell anything.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Q
from django.db.models.functions import TruncHour

from annotation.models import GroundTruthRevision
from annotation.selectors.dashboard.board import Board

WINDOW = timedelta(days=28)


@dataclass(frozen=True, slots=True)
class Flow:
    """Net settled regions of the last four weeks: hour -> {today's class code: count}."""

    hours: dict[datetime, Counter[str]]

    def days(self) -> dict[date, Counter[str]]:
        """The same by day, UTC."""
        found: dict[date, Counter[str]] = defaultdict(Counter)
        for hour, counts in self.hours.items():
            for code, count in counts.items():
                found[hour.date()][code] += count
        return found


def read(board: Board) -> Flow:
    """The flow under the board's domain."""
    found: Flow = board.keep("flow", lambda: _read(board))
    return found


def _read(board: Board) -> Flow:
    rows = GroundTruthRevision.objects.filter(study=board.study, created_at__gte=board.reading.at - WINDOW)
    if board.filters.domain:
        rows = rows.filter(region__slide__domain__name=board.filters.domain)
    counted_now = Q(is_settled=True, is_excluded=False)
    grouped = (
        rows.filter(counted_now | Q(parent__is_settled=True))
        .order_by()
        .values_list(
            TruncHour("created_at"), "is_settled", "is_excluded", "protocol", "label",
            "parent__is_settled", "parent__is_excluded", "parent__protocol", "parent__label",
        )
        .annotate(count=Count("pk"))
    )  # fmt: skip
    hours: dict[datetime, Counter[str]] = defaultdict(Counter)
    codes = board.reading.codes
    for hour, settled, excluded, protocol, label, was_settled, was_excluded, older, before, count in grouped:
        if settled and not excluded:
            hours[hour][codes.get(protocol, {}).get(label, "")] += count
        if was_settled and not was_excluded:
            hours[hour][codes.get(older or 0, {}).get(before or "", "")] -= count
    return Flow(dict(hours))
