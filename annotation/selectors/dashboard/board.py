"""What the panels read together: people, domains, classes, and the counts over regions that several of them show.

Decides what is read once for a page and what is kept for some seconds; refuses to know any panel.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from django.db.models import Count, Sum

from annotation import clock, mapping
from annotation.errors import BadInput
from annotation.models import LabelClass, LedgerHead, Membership, Region, Slide, Study
from annotation.selectors.dashboard import kept
from annotation.selectors.dashboard.filters import FIRST_DAY, LAST_DAY, Filters
from annotation.states import RegionState

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class DomainCounts:
    """A domain with its values of the declared columns, and how many slides, cases and regions it has."""

    name: str
    values: dict[str, str]
    slides: int
    cases: int
    regions: int


@dataclass(frozen=True, slots=True)
class Worked:
    """How many regions of one kind left the pool. `label` is today's code, empty where none holds."""

    domain: str
    state: str
    label: str
    method: str
    regions: int


class Reading:
    """Everything about a study that panels share, each part read when it is first asked for."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.at = clock.now()
        self._read: dict[Hashable, Any] = {}

    def once(self, key: Hashable, make: Callable[[], Found]) -> Found:
        """What `make` gives, asked for once however many panels want it."""
        if key not in self._read:
            self._read[key] = make()
        found: Found = self._read[key]
        return found

    @cached_property
    def members(self) -> list[Membership]:
        return list(Membership.objects.filter(study=self.study).select_related("user").order_by("id"))

    @cached_property
    def classes(self) -> list[LabelClass]:
        return list(LabelClass.objects.filter(protocol=self.study.protocol_id).order_by("position", "code"))

    @cached_property
    def codes(self) -> dict[int, dict[str, str]]:
        """Protocol id -> {its class code: the code today}."""
        return mapping.exact_codes(self.study)

    @cached_property
    def domains(self) -> list[DomainCounts]:
        rows = Slide.objects.filter(study=self.study).values_list("domain__name", "domain__values")
        counted = rows.annotate(slides=Count("pk"), cases=Count("case", distinct=True), held=Sum("region_count"))
        return [DomainCounts(*row) for row in counted.order_by("domain__name")]

    @cached_property
    def position(self) -> int:
        """Where the study's ledger stands: what only the ledger moves is the same while this is."""
        row = LedgerHead.objects.filter(study=self.study).values_list("position", flat=True).first()
        return row or 0

    @cached_property
    def worked(self) -> tuple[list[Worked], datetime]:
        """Regions that have left the pool, by domain, state, class and how the truth was found; and as of when."""
        return kept.counts.get(("worked", *self.key), self._count_worked)

    @property
    def key(self) -> tuple[Any, ...]:
        """What names the study among the kept counts; not its number alone, which a test may use again."""
        return (self.study.pk, self.study.created_at, self.study.protocol_id)

    def _count_worked(self) -> list[Worked]:
        rows = (
            Region.objects.filter(study=self.study)
            .exclude(state=RegionState.POOL)
            .order_by()
            .values_list(
                "slide__domain__name",
                "state",
                "current_revision__protocol",
                "current_revision__label",
                "current_revision__method",
            )
            .annotate(count=Count("pk"))
        )
        return [
            Worked(domain, state, self.codes.get(protocol or 0, {}).get(label or "", ""), method or "", count)
            for domain, state, protocol, label, method, count in rows
        ]


class Board:
    """A reading under filters. `as_of`: the oldest of the counts that were taken from it."""

    def __init__(self, reading: Reading, filters: Filters) -> None:
        self.reading = reading
        self.study = reading.study
        self.filters = filters
        self.as_of = reading.at

    def check(self) -> None:
        """BadInput where a filter names a domain or a person that the study does not have, or days of no use."""
        wanted = self.filters
        if wanted.domain and wanted.domain not in {one.name for one in self.reading.domains}:
            raise BadInput(f"The study has no domain '{wanted.domain}'. Choose one of the list.")
        if wanted.annotator and wanted.annotator not in {one.pseudonym for one in self.reading.members}:
            raise BadInput(f"Nobody in the study is called '{wanted.annotator}'. Choose one of the list.")
        days = [day for day in (wanted.since, wanted.until) if day]
        if any(not FIRST_DAY <= day <= LAST_DAY for day in days):
            raise BadInput(f"The days must lie between {FIRST_DAY} and {LAST_DAY}.")
        if wanted.since and wanted.until and wanted.since > wanted.until:
            raise BadInput("The first day lies after the last one: exchange them.")

    def narrowed(self, names: frozenset[str]) -> "Board":
        """The same reading under the filters in `names` alone."""
        return Board(self.reading, self.filters.of(names))

    @property
    def worked(self) -> list[Worked]:
        """Regions that have left the pool, of the domain that is filtered for."""
        rows, as_of = self.reading.worked
        self.as_of = min(self.as_of, as_of)
        return [one for one in rows if self.filters.domain in ("", one.domain)]

    @property
    def domains(self) -> list[DomainCounts]:
        """The domain that is filtered for, or all."""
        return [one for one in self.reading.domains if self.filters.domain in ("", one.name)]

    def keep(self, name: str, make: Callable[[], Any]) -> Any:
        """What `make` reads of answers and revisions under the board's filters, kept while the ledger stands still.

        The hour belongs to the key: spans that end now move on with the clock.
        """
        hour = self.reading.at.replace(minute=0, second=0, microsecond=0)
        key = (name, *self.reading.key, self.filters)
        value, as_of = kept.counts.get(key, make, position=(self.reading.position, hour))
        self.as_of = min(self.as_of, as_of)
        return value
