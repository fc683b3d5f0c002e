"""Freezes the dataset of a clean consistency pass: a folder named by the digest of its manifest, and rows.

Decides that no blocker is open and that folder and rows stand or fall together; refuses to know what files hold.
"""

import shutil
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from annotation import clock, store
from annotation.errors import Conflict, GateClosed, Refused
from annotation.models import ConsistencyPass, Finding, Membership, PassItem, Release, ReleaseItem, Slide, Study
from annotation.releasing import ensemble, folder, pictures
from annotation.releasing.content import Content
from annotation.releasing.parts import Part
from annotation.releasing.verify import Checked, verify
from annotation.rules import Fix
from annotation.selectors import released
from annotation.services import ledger
from annotation.states import FindingState, PassState, Role, Severity
from learning.slides.reader import open_slide

FOLDER = "releases"
_SHOWN = 10


def freeze(*, study: Study, consistency_pass: ConsistencyPass, member: Membership | None = None) -> Release:
    """Cut the release of a clean pass. Cut again, the same release is returned, its folder written anew if it is gone.

    GateClosed names the open blockers. The database refuses a release beside an open blocker by itself.
    """
    written = published = None
    is_new = False
    try:
        with transaction.atomic():
            # The lock of the triggers, taken before anything is read: what the folder says stays true until the commit.
            row = ConsistencyPass.objects.select_for_update(of=("self",), no_key=True).get(pk=consistency_pass.pk)
            _check(study, row, member)
            content = released.read(row)
            written, digest = folder.write(content, parent=root(), extras=_extras(study, content))
            release = Release.objects.filter(consistency_pass=row).first()
            if release is None:
                release = _store(row, content, digest=digest, member=member)
            elif release.manifest_digest != digest:
                raise Conflict(_say_changed(release, digest))
            published, is_new = folder.publish(written, digest=digest)
    except BaseException:
        for leftover in (written, published if is_new else None):
            if leftover:
                shutil.rmtree(leftover, ignore_errors=True)
        raise
    return release


def blockers(consistency_pass: ConsistencyPass) -> list[Finding]:
    """Findings that stand before a release of this pass: undecided, waived for too short, or fixed after it."""
    # The real time also in a simulation: the database's trigger knows no other.
    now = timezone.now()
    rows = Finding.objects.filter(consistency_pass=consistency_pass, severity=Severity.BLOCKER)
    rows = rows.order_by("rule", "region__public_id", "subject")
    return [row for row in rows if not _is_closed(row, now)]


def root() -> Path:
    """The folder that holds all releases."""
    return Path(settings.STORE) / FOLDER


def place(release: Release) -> Path:
    """The folder of a release."""
    return Path(settings.STORE) / release.stored_name


def check(*, release: Release) -> Checked:
    """Whether the release's folder is what it was; the problems as sentences without any path."""
    folder_of_release = place(release)
    if not folder_of_release.is_dir():
        said = f"The folder of release {release.number} is gone: cut it again from its pass to restore it."
        return Checked("", 0, [said])
    return verify(folder_of_release, digest=release.manifest_digest)


def export(*, release: Release, out: Path) -> Checked:
    """Copy a release to the new folder `out` and check the copy; Conflict where `out` exists already."""
    source = place(release)
    if not source.is_dir():
        raise Conflict(f"The folder of release {release.number} is gone: cut it again from its pass to restore it.")
    if out.exists():
        raise Conflict(f"{out} exists already: name a new folder.")
    shutil.copytree(source, out)
    return verify(out, digest=release.manifest_digest)


def _extras(study: Study, content: Content) -> Iterator[Part]:
    """What the study's policy wanted in the release at the pass: its model, and pictures."""
    return chain(ensemble.render(content.facts, models=Path(settings.STORE) / "models"), _pictures(study, content))


def _pictures(study: Study, content: Content) -> Iterator[Part]:
    """The regions as pictures, where the study's policy wanted them at the pass."""
    if not content.facts["policy"].get("release_crops"):
        return iter(())
    rows = {row.public_id: row for row in Slide.objects.filter(study=study)}
    return pictures.render(content.regions, opens=lambda slide: open_slide(store.slide_path(rows[slide.slide])))


def _check(study: Study, consistency_pass: ConsistencyPass, member: Membership | None) -> None:
    if consistency_pass.study_id != study.pk:
        raise Refused("The consistency pass belongs to another study.")
    if member is not None and (member.study_id != study.pk or member.role != Role.MANAGER or not member.is_active):
        raise Refused("Releases are cut by a manager of the study.")
    if consistency_pass.state != PassState.DONE:
        raise GateClosed(f"Pass {consistency_pass.number} is {consistency_pass.state}: a release needs a finished one.")
    # Once released, its findings no longer change; a waiver that has run out since is no reason to refuse a copy.
    open_ones = [] if hasattr(consistency_pass, "release") else blockers(consistency_pass)
    if open_ones:
        raise GateClosed(
            _say(consistency_pass, open_ones),
            blockers=[{"id": row.pk, "rule": row.rule, "message": row.message} for row in open_ones],
        )
    if not consistency_pass.numbers["released"]:
        raise GateClosed("The pass saw no settled region: there is nothing to release yet.")


def _is_closed(row: Finding, now: datetime) -> bool:
    if row.state == FindingState.WAIVED:
        return row.waived_until is None or row.waived_until > now
    return row.state == FindingState.RESOLVED and row.data.get("decision", {}).get("fix") == Fix.ACCEPT


def _say(consistency_pass: ConsistencyPass, open_ones: list[Finding]) -> str:
    shown = " ".join(row.message for row in open_ones[:_SHOWN])
    more = f" And {len(open_ones) - _SHOWN} more." if len(open_ones) > _SHOWN else ""
    fixed = sum(row.state == FindingState.RESOLVED for row in open_ones)
    hint = f" {fixed} of them were fixed since; a new pass will see it." if fixed else ""
    return f"{len(open_ones)} blockers stand before a release of pass {consistency_pass.number}: {shown}{more}{hint}"


def _say_changed(release: Release, digest: str) -> str:
    return (
        f"Pass {release.consistency_pass.number} was released as {release.manifest_digest[:12]}, but its rows now give "
        f"{digest[:12]}: something that must not change was changed, or this program writes releases otherwise than "
        "the one that cut it. Check the ledger, and the folder where it still is."
    )


def _store(row: ConsistencyPass, content: Content, *, digest: str, member: Membership | None) -> Release:
    newest = Release.objects.filter(study=row.study_id).order_by("-number").first()
    at = clock.now()
    release = Release.objects.create(
        study=row.study,
        number=newest.number + 1 if newest else 1,
        consistency_pass=row,
        manifest_digest=digest,
        stored_name=f"{FOLDER}/{digest}",
        items_count=len(content.regions),
        created_by=member,
        created_at=at,
    )
    split_of = {region.region: region.slide.split for region in content.regions}
    items = PassItem.objects.filter(consistency_pass=row).order_by("pk")
    ReleaseItem.objects.bulk_create(
        (
            ReleaseItem(release=release, region_id=region, revision_id=revision, split=split_of[name])
            for region, revision, name in items.values_list("region_id", "revision_id", "region__public_id")
            if name in split_of
        ),
        batch_size=2000,
    )
    payload = {
        "release": release.number,
        "pass": row.number,
        "manifest_digest": digest,
        "regions": len(content.regions),
        "by": member.pseudonym if member else None,
    }
    ledger.append(study=row.study, kind="release", payload=payload, at=at)
    return release
