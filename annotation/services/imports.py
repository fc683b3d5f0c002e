"""Importing a study folder: a new study, or what is new of a known one.

Decides that files come first and rows in one transaction, so that nothing is half imported; refuses to judge
the folder (`studyfolder`).
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction
from django.utils.text import slugify

from annotation import store
from annotation.errors import Refused
from annotation.models import Case, LabelClass, Region, Slide, Study
from annotation.services import slides, studies
from annotation.studyfolder import Problems, SlidePlan, StudyPlan, VotePlan, read_folder

Progress = Callable[[str, int, int], None]


@dataclass(slots=True)
class Imported:
    """What an import brought; `notes` are sentences for the person who ran it."""

    study: Study | None
    is_new_study: bool = False
    slides_new: int = 0
    slides_known: int = 0
    regions_new: int = 0
    truth_new: int = 0
    votes_new: int = 0
    notes: list[str] = field(default_factory=list)


def silent(stage: str, done: int, total: int) -> None:
    """Tell nobody."""


def allowed_folder(name: str) -> Path:
    """The folder `name` below CONCORD_IMPORT_ROOT; Refused where none is set or `name` leads out of it."""
    root = os.environ.get("CONCORD_IMPORT_ROOT", "")
    if not root:
        raise Refused("No folder is open for imports over the network: set CONCORD_IMPORT_ROOT on the server.")
    base = Path(root).resolve()
    folder = (base / name).resolve()
    if folder == base or not folder.is_relative_to(base):
        raise Refused("The folder must lie below the server's import folder.")
    return folder


def import_folder(path: Path, *, slug: str = "", dry_run: bool = False, progress: Progress = silent) -> Imported:
    """Import the folder `path` as the study `slug` (default: from its name); again changes nothing.

    BadInput lists every problem of the folder. `dry_run` checks everything and writes nothing.
    """
    if slug:
        studies.check_slug(slug)
    plan = read_folder(path, progress=progress)
    slug = slug or slugify(plan.definition.name)[:60].strip("-") or "study"
    known = Study.objects.filter(slug=slug).first()
    if known is not None:
        _check_against(known, plan, folder=path.name)
    notes = _notes(plan, known)
    if dry_run:
        return Imported(study=known, is_new_study=known is None, notes=notes)
    left_out = {slide.name for slide in plan.slides_without_regions}
    wanted = [slide for slide in plan.slides if slide.name not in left_out]
    stored: dict[str, str] = {}
    for number, slide in enumerate(wanted, 1):
        stored[slide.name] = store.put_slide(slide.path, checksum=slide.checksum)
        progress("copies", number, len(wanted))
    with transaction.atomic():
        if known is None:
            study = studies.create_from(definition=plan.definition, slug=slug)
        else:
            study = Study.objects.select_for_update(no_key=True).get(pk=known.pk)
            _check_against(study, plan, folder=path.name)
        found = Imported(study=study, is_new_study=known is None, notes=notes)
        _write_slides(found, plan, wanted, stored, progress)
    return found


def _notes(plan: StudyPlan, known: Study | None) -> list[str]:
    notes = [
        f"The slide '{slide.name}' has no row in regions.csv and is left out." for slide in plan.slides_without_regions
    ]
    unknown = sum(slide.um_per_px is None for slide in plan.slides)
    if unknown:
        notes.append(f"{unknown} of {len(plan.slides)} slides have no pixel size: rules in µm are skipped there.")
    if known is not None and known.policy_values != plan.definition.policy:
        notes.append("The folder's policy differs from the study's, which is kept; change it in the study.")
    return notes


def _check_against(study: Study, plan: StudyPlan, *, folder: str) -> None:
    """BadInput where the folder contradicts the study it is imported into."""
    problems = Problems()

    def tell(file: str, line: int | None, reason: str, remedy: str) -> None:
        problems.add(file=file, line=line, reason=reason, remedy=remedy)

    wanted = plan.definition
    another = "Import it under another slug (--slug), or give the folder that the study came from."
    if (study.name, study.task, study.domains) != (wanted.name, wanted.task, wanted.domains):
        tell("study.toml", None, f"The study '{study.slug}' has another name, task or domains.", another)
    codes = LabelClass.objects.filter(protocol=study.protocol_id).order_by("position")
    if list(codes.values_list("code", flat=True)) != [item.code for item in wanted.classes]:
        tell("study.toml", None, f"The study '{study.slug}' has other classes.", another)
    known = {slide.checksum: slide for slide in Slide.objects.filter(study=study).select_related("case")}
    for slide in plan.slides:
        row = known.get(slide.checksum)
        if row is not None and row.case.code != slides.case_code(study, slide.case):
            reason = f"The slide '{slide.name}' is in the study already, under another case."
            tell("slides.csv", slide.line, reason, "Give it the case it had: whole cases go into one split.")
        if row is not None and plan.regions is not None:
            _check_regions(row, plan.regions.get(slide.name, []), slide, tell)
    problems.raise_if_any(folder=folder)


def _check_regions(
    row: Slide, regions: "list", slide: SlidePlan, tell: Callable[[str, int | None, str, str], None]
) -> None:
    known = set(Region.objects.filter(slide=row).values_list("x", "y", "width", "height"))
    for plan in regions:
        if known and (plan.x, plan.y, plan.width, plan.height) not in known:
            reason = f"The slide '{slide.name}' is in the study already, without the region '{plan.name}'."
            tell("regions.csv", plan.line, reason, "Regions of a slide are fixed once its features are made.")


def _write_slides(
    found: Imported, plan: StudyPlan, wanted: list[SlidePlan], stored: dict[str, str], progress: Progress
) -> None:
    study = found.study
    assert study is not None
    votes: dict[str, list[VotePlan]] = {}
    for vote in plan.votes:
        votes.setdefault(vote.region, []).append(vote)
    known = set(Slide.objects.filter(study=study).values_list("checksum", flat=True))
    # In the order of checksums, so that the same folder gives the same rows whatever the order of its lines.
    for number, slide_plan in enumerate(sorted(wanted, key=lambda slide: slide.checksum), 1):
        if slide_plan.checksum in known:
            found.slides_known += 1
            continue
        slide = slides.add(study=study, plan=slide_plan, stored_name=stored[slide_plan.name])
        found.slides_new += 1
        if plan.regions is not None:
            rows = plan.regions[slide_plan.name]
            boxes = [(row.x, row.y, row.width, row.height) for row in rows]
            found.regions_new += slides.add_regions(study=study, slide=slide, rectangles=boxes)
            truths, opinions = slides.add_knowledge(
                study=study, slide=slide, regions=rows, truth=plan.truth, votes=votes
            )
            found.truth_new += truths
            found.votes_new += opinions
        slides.prepare(slide, study=study)
        progress("rows", number, len(wanted))


def audit_share(study: Study) -> tuple[int, int]:
    """How many cases are in the audit sample, and how many there are."""
    cases = Case.objects.filter(study=study)
    return cases.exclude(audit_half="").count(), cases.count()
