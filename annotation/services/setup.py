"""Setting up a study: it begins as a draft, each part is saved by itself, and it opens when nothing is missing.

Decides what may still change, and when; refuses to know screens. Values are checked by the same rules as a study.toml.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from annotation.errors import BadInput, Conflict
from annotation.models import Membership, StagedSlide, Study
from annotation.selectors import setup
from annotation.services import classlist, protocols, staging, studies
from annotation.services.classlist import Complaints
from annotation.states import Role, Task
from annotation.studyfolder import Definition, read_text
from annotation.studyfolder import fields as checks

SQUARE = 256


@transaction.atomic
def begin(*, user: AbstractBaseUser, slug: str, name: str, definition: str = "") -> Membership:
    """A study in draft, from nothing or from the text of a study.toml; `user` manages it."""
    if definition:
        found = read_text(definition)
        found = Definition(**{**_shallow(found), "name": _check_name(name) if name.strip() else found.name})
    else:
        found = Definition(
            name=_check_name(name),
            task=Task.CLASSIFY,
            seed=0,
            region_width=SQUARE,
            region_height=SQUARE,
            region_um_per_px=None,
            domains=[],
            classes=[],
            guideline="",
            policy={},
            checklist={},
        )
    study = studies.create(definition=found, slug=slug)
    protocols.save_draft(study=study, classes=found.classes, guideline=found.guideline)
    return studies.add_member(study=study, user=user, role=Role.MANAGER)


@transaction.atomic
def save_name(*, study: Study, name: str) -> Study:
    """The study's name, until its protocol is published."""
    study = _lock(study)
    _check_open("basics", study)
    study.name = _check_name(name)
    study.save(update_fields=["name"])
    return study


@transaction.atomic
def save_domains(*, study: Study, domains: list[str], renamed: Mapping[str, str]) -> Study:
    """The domain columns; `renamed` (old -> new) carries the values of staged slides along."""
    study = _lock(study)
    _check_open("domains", study)
    complaints = Complaints()
    checked = checks.check_domains(domains, tell=complaints.tell)
    complaints.raise_if_any()
    study.domains = checked or []
    study.save(update_fields=["domains"])
    rows = list(StagedSlide.objects.filter(study=study).defer("tissue"))
    for row in rows:
        values = {renamed.get(column, column): value for column, value in row.domain.items()}
        row.domain = {column: value for column, value in values.items() if column in study.domains}
    StagedSlide.objects.bulk_update(rows, ["domain"], batch_size=500)
    return study


@transaction.atomic
def save_classes(*, study: Study, classes: list[dict[str, Any]], guideline: str, seen: str = "") -> Study:
    """Classes and guideline of the draft. A key that belongs to a tool is refused unless the class has it already.

    Conflict where they are no longer those of the digest `seen`: somebody else's work would be lost.
    """
    study = _lock(study)
    _check_open("classes", study)
    if seen and seen != setup.classes_digest(study):
        raise Conflict("The classes have been changed elsewhere meanwhile. Load the page again to go on from there.")
    rows, text = classlist.check(classes, guideline, before=setup.definition(study).classes)
    protocols.save_draft(study=study, classes=rows, guideline=text)
    return study


@transaction.atomic
def save_region(*, study: Study, edge: int, um_per_px: float | None) -> Study:
    """The edge of a region in pixels, and their size in µm (None: the slides' own pixels)."""
    study = _lock(study)
    _check_open("region", study)
    complaints = Complaints()
    region = {"width": edge, "height": edge, **({} if um_per_px is None else {"um_per_px": um_per_px})}
    width, height, size = checks.check_region(region, tell=complaints.tell)
    complaints.raise_if_any()
    study.region_width, study.region_height, study.region_um_per_px = width, height, size
    study.save(update_fields=["region_width", "region_height", "region_um_per_px"])
    return study


@transaction.atomic
def save_checklist(*, study: Study, answers: Mapping[str, str]) -> Study:
    """Answers to questions of the checklist; an empty one takes the answer back, the others stay."""
    study = _lock(study)
    complaints = Complaints()
    merged = {**study.checklist, **answers}
    study.checklist = checks.check_checklist(merged, tell=complaints.tell)
    complaints.raise_if_any()
    study.save(update_fields=["checklist"])
    return study


@transaction.atomic
def save_publication(*, study: Study, said: Mapping[str, str]) -> Study:
    """How releases are published; an empty field takes back what was said, the others stay."""
    study = _lock(study)
    complaints = Complaints()
    study.publication = checks.check_publication({**study.publication, **said}, tell=complaints.tell)
    complaints.raise_if_any()
    study.save(update_fields=["publication"])
    return study


@transaction.atomic
def launch(*, study: Study) -> Study:
    """Publish the protocol, let the slides in and open the study; Conflict names everything that is missing."""
    study = _lock(study)
    lacking = [one for step in setup.steps(study) for one in step.missing]
    if lacking:
        raise Conflict("The study can't open yet. " + " ".join(lacking), missing=lacking)
    if study.protocol_id is None:
        protocols.publish_draft(study=study)
    staging.enter(study=study)
    study.refresh_from_db()
    return studies.open_study(study=study)


@transaction.atomic
def enter(*, study: Study) -> int:
    """Let staged slides into a study whose protocol is published; how many there were."""
    study = _lock(study)
    if study.protocol_id is None:
        raise Conflict("The slides enter when the study is launched, as regions may still change their size.")
    return staging.enter(study=study)


def _lock(study: Study) -> Study:
    return Study.objects.select_for_update(no_key=True).get(pk=study.pk)


def _check_open(step: str, study: Study) -> None:
    """Conflict where this step of the study is fixed by now."""
    reason = setup.fixed(step, study)
    if reason:
        raise Conflict(reason)


def _check_name(name: str) -> str:
    complaints = Complaints()
    checked = checks.check_text({"name": name}, "name", longest=checks.LONGEST_NAME, tell=complaints.tell)
    if complaints.found:
        raise BadInput(f"A study needs a name of at most {checks.LONGEST_NAME} characters. Enter one.")
    return checked


def _shallow(definition: Definition) -> dict[str, Any]:
    return {**asdict(definition), "classes": definition.classes}
