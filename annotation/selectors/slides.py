"""The slides of a study as its managers list them: where from, how far cut, how far settled.

Decides what can be filtered and sorted by; refuses to know how the list looks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, FloatField, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Cast, Coalesce, NullIf

from annotation.models import Job, Region, Slide, Study
from annotation.states import JobKind, RegionState

PAGE = 50
SORTS: Mapping[str, str] = {
    "slide": "public_id",
    "case": "case__code",
    "domain": "domain__name",
    "size": "area",
    "regions": "region_count",
    "settled": "share",
    "state": "state",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A slide with the work on it: `job` cuts it, where that is not done."""

    slide: Slide
    settled: int
    share: float | None
    job: Job | None


@dataclass(frozen=True, slots=True)
class SlidePage:
    """One page of the list; `total` counts what the filter leaves."""

    rows: list[Row]
    total: int
    number: int
    pages: int


def page(study: Study, *, filters: Mapping[str, str], sort: str = "slide", number: int = 1) -> SlidePage:
    """Page `number` of the study's slides with these values; `sort` is a name of SORTS, "-" before it descends."""
    rows = Slide.objects.filter(study=study, **{name: value for name, value in filters.items() if value})
    total = rows.count()
    pages = max(1, -(-total // PAGE))
    number = min(max(1, number), pages)
    found = list(_sorted(_measured(rows), sort)[(number - 1) * PAGE : number * PAGE])
    jobs = tiling_jobs(study, [slide.public_id for slide in found if slide.state != "tiled"])
    return SlidePage(
        rows=[Row(slide, slide.settled, slide.share, jobs.get(slide.public_id)) for slide in found],
        total=total,
        number=number,
        pages=pages,
    )


def tiling_jobs(study: Study, public_ids: Iterable[str]) -> dict[str, Job]:
    """The jobs that cut these slides into regions, by the slide's id."""
    rows = Job.objects.filter(study=study, kind=JobKind.TILE_SLIDE, key__in=list(public_ids))
    return {job.key: job for job in rows}


def domains(study: Study) -> list[str]:
    """Names of the study's domains."""
    return list(study.domain_rows.order_by("name").values_list("name", flat=True))


def neighbours(slide: Slide) -> tuple[str | None, str | None]:
    """The slides before and after this one in the order of their ids."""
    others = Slide.objects.filter(study=slide.study_id).values_list("public_id", flat=True)
    before = others.filter(public_id__lt=slide.public_id).order_by("-public_id").first()
    return before, others.filter(public_id__gt=slide.public_id).order_by("public_id").first()


def _measured(rows: QuerySet[Slide]) -> QuerySet[Any]:
    settled = Region.objects.filter(study=OuterRef("study"), slide=OuterRef("pk"), state=RegionState.SETTLED)
    counted = settled.order_by().values("slide").annotate(count=Count("pk")).values("count")
    measured = rows.annotate(
        settled=Coalesce(Subquery(counted, output_field=IntegerField()), 0),
        area=Cast("width", FloatField()) * F("height"),
    )
    return measured.annotate(share=Cast("settled", FloatField()) / NullIf(F("region_count"), 0)).select_related(
        "case", "domain"
    )


def _sorted(rows: QuerySet[Any], sort: str) -> QuerySet[Any]:
    field = F(SORTS.get(sort.lstrip("-"), "public_id"))
    ordering = field.desc(nulls_last=True) if sort.startswith("-") else field.asc(nulls_last=True)
    return rows.order_by(ordering, "public_id")
