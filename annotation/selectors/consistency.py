"""Passes and releases of a study, for its managers.

Decides what belongs to the study; refuses to judge or to write.
"""

from pathlib import Path

from django.db.models import Count, Q, QuerySet

from annotation import store
from annotation.errors import Missing
from annotation.models import ConsistencyPass, Finding, Release, Study
from annotation.states import FindingState, Severity

_BLOCKS = Q(findings__state=FindingState.OPEN, findings__severity=Severity.BLOCKER)
_WARNS = Q(findings__state=FindingState.OPEN, findings__severity=Severity.WARNING)


def passes(study: Study) -> QuerySet[ConsistencyPass]:
    """The study's passes, each with how many blockers and warnings are open."""
    return with_open_findings(ConsistencyPass.objects.filter(study=study).select_related("started_by", "release"))


def with_open_findings(rows: QuerySet[ConsistencyPass]) -> QuerySet[ConsistencyPass]:
    """The passes with how many of their findings wait for a decision."""
    return rows.annotate(
        open_blockers=Count("findings", filter=_BLOCKS), open_warnings=Count("findings", filter=_WARNS)
    )


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


def files(row: Release) -> list[Path]:
    """The files of a release's folder, by name."""
    folder = store.root() / row.stored_name
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in found if path.is_file() and not path.is_symlink()]


def file(row: Release, *, name: str) -> Path:
    """One of the release's files; Missing for every other name."""
    for path in files(row):
        if path.name == name:
            return path
    raise Missing(f"The release has no file '{name}'.")
