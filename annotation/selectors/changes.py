"""What changed from one release to another, or would change with a release of a pass.

Decides which two sets of labels are compared, and keeps the last few answers; refuses to say what a change is.
"""

from functools import lru_cache
from pathlib import Path

from annotation import store
from annotation.errors import Conflict
from annotation.models import ConsistencyPass, Release
from annotation.releasing import diff
from annotation.selectors import composition


def of_pass(row: ConsistencyPass) -> tuple[Release | None, diff.Diff]:
    """The newest release of an earlier pass of the study, and what a release of this one would change against it."""
    last = earlier(row)
    return last, _compare_passes(composition.Kept(row), composition.Kept(last.consistency_pass) if last else None)


def earlier(row: ConsistencyPass) -> Release | None:
    """The release before one of this pass: the newest of an earlier pass, cut before it where it is cut already."""
    releases = Release.objects.filter(study=row.study_id, consistency_pass__number__lt=row.number)
    own = getattr(row, "release", None)
    releases = releases.filter(number__lt=own.number) if own else releases
    return releases.select_related("consistency_pass").order_by("-number").first()


def of_release(row: Release, *, since: Release | None) -> diff.Diff:
    """What `row` changed against `since`, by the tables of their folders; everything is added where there is none."""
    return _compare_folders(store.root() / row.stored_name, store.root() / since.stored_name if since else None)


def before(row: Release) -> Release | None:
    """The release before this one."""
    return Release.objects.filter(study=row.study_id, number__lt=row.number).order_by("-number").first()


@lru_cache(maxsize=composition.KEPT)
def _compare_passes(after: composition.Kept, earlier: composition.Kept | None) -> diff.Diff:
    return diff.compare(composition.held(earlier.row) if earlier else {}, composition.held(after.row))


@lru_cache(maxsize=composition.KEPT)
def _compare_folders(after: Path, earlier: Path | None) -> diff.Diff:
    # A folder is named by the digest of what it holds, so the same name gives the same answer.
    try:
        return diff.compare(diff.read(earlier) if earlier else {}, diff.read(after))
    except (OSError, ValueError, KeyError) as error:
        raise Conflict(
            "The folder of one of the two releases is gone or damaged: verify both, and cut the damaged one again from "
            "its pass to restore it."
        ) from error
