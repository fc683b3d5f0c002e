"""Passes and releases of a study, for its managers.

Decides what belongs to the study; refuses to judge or to write.
"""

from pathlib import Path

from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from annotation import store
from annotation.errors import Missing
from annotation.models import ConsistencyPass, Finding, Release, Study
from annotation.releasing.files import listed
from annotation.states import FindingState, PassState, Severity

PAGE = 25


def passes(study: Study) -> QuerySet[ConsistencyPass]:
    """The study's passes, each with how many blockers and warnings are open."""
    return with_open_findings(ConsistencyPass.objects.filter(study=study).select_related("started_by", "release"))


def with_open_findings(rows: QuerySet[ConsistencyPass]) -> QuerySet[ConsistencyPass]:
    """The passes with how many of their findings wait for a decision: counted for the rows that are read only."""
    return rows.annotate(open_blockers=_count_open(Severity.BLOCKER), open_warnings=_count_open(Severity.WARNING))


def _count_open(severity: Severity) -> Coalesce:
    waiting = Finding.objects.filter(consistency_pass=OuterRef("pk"), state=FindingState.OPEN, severity=severity)
    counted = waiting.order_by().values("consistency_pass").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted), 0)


def recent_passes(study: Study, *, before: int | None = None) -> list[ConsistencyPass]:
    """A page of passes, newest first, without the facts that a release pins; `items` is how many regions each saw."""
    rows = passes(study).annotate(items_seen=F("numbers__items")).defer("numbers", "rules").order_by("-number")
    return list((rows.filter(number__lt=before) if before else rows)[: PAGE + 1])


def recent_releases(study: Study, *, before: int | None = None) -> list[Release]:
    """A page of releases, newest first."""
    rows = releases(study).defer("consistency_pass__numbers", "consistency_pass__rules").order_by("-number")
    return list((rows.filter(number__lt=before) if before else rows)[: PAGE + 1])


def finished_passes(study: Study) -> list[ConsistencyPass]:
    """The newest finished passes, for a choice."""
    rows = ConsistencyPass.objects.filter(study=study, state=PassState.DONE).select_related("release")
    return list(rows.defer("numbers", "rules").order_by("-number")[:PAGE])


def consistency_pass(*, study: Study, number: int) -> ConsistencyPass:
    """A pass by its number; Missing where the study has none such."""
    found = passes(study).filter(number=number).first()
    if found is None:
        raise Missing(f"The study has no consistency pass {number}.")
    return found


def releases(study: Study) -> QuerySet[Release]:
    """The study's releases."""
    return Release.objects.filter(study=study).select_related("consistency_pass", "created_by")


def release(*, study: Study, number: int) -> Release:
    """A release by its number; Missing where the study has none such."""
    found = releases(study).filter(number=number).first()
    if found is None:
        raise Missing(f"The study has no release {number}.")
    return found


def files(row: Release) -> dict[str, Path]:
    """The files of a release's folder by their names in it; nothing where it is gone."""
    return {name: path for name, path in listed(store.root() / row.stored_name).items() if not path.is_symlink()}


def file(row: Release, *, name: str) -> Path:
    """One of the release's files; Missing for every other name."""
    found = files(row).get(name)
    if found is None:
        raise Missing(f"The release has no file '{name}'.")
    return found
