"""What a manager narrows the dashboard to: a domain, a person, a span of days.

Decides when two of them name the same thing; refuses to know which panel heeds which.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Q

# Before the first there were no studies; after the last the calendar of Python ends soon.
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(9000, 1, 1)
FILTERS = ("domain", "annotator", "since", "until")


@dataclass(frozen=True, slots=True)
class Filters:
    """Empty and None mean everything. Days are UTC; `until` is included."""

    domain: str = ""
    annotator: str = ""
    since: date | None = None
    until: date | None = None

    def of(self, names: frozenset[str]) -> "Filters":
        """Only the filters in `names`: those a panel heeds."""
        return Filters(**{name: value for name, value in asdict(self).items() if name in names})

    def to_json(self) -> dict[str, str]:
        """The filters that are set."""
        return {name: str(value) for name, value in asdict(self).items() if value}

    def answers(self) -> Q:
        """The condition on answers."""
        wanted = Q()
        if self.domain:
            wanted &= Q(region__slide__domain__name=self.domain)
        if self.annotator:
            wanted &= Q(annotator__pseudonym=self.annotator)
        if self.since:
            wanted &= Q(created_at__gte=start_of(self.since))
        if self.until:
            wanted &= Q(created_at__lt=start_of(self.until + timedelta(days=1)))
        return wanted


def start_of(day: date) -> datetime:
    """The first moment of a day, UTC."""
    return datetime.combine(day, time.min, tzinfo=UTC)
