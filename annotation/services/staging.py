"""Slides on their way into a study: files are checked and kept, cases and domains entered, then all enter at once.

Decides what may be staged and that names of files and cases are erased when the slides enter; refuses to know the
screen that shows them.
"""

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from django.conf import settings
from django.db import IntegrityError, transaction

from annotation import store
from annotation.errors import BadInput, Conflict, Refused
from annotation.models import Slide, StagedSlide, Study
from annotation.services import slides
from annotation.studyfolder import Problems, SlidePlan, probe_slide
from annotation.studyfolder.slides import FILE as SLIDES_FILE
from annotation.studyfolder.slides import locate
from annotation.studyfolder.tables import parse_table
from learning.slides.errors import SlideError
from learning.slides.reader import open_slide
from learning.slides.tissue import find_tissue

LONGEST_VALUE = 200
_RESERVE_BYTES = 512 * 1024**2
"""What an upload leaves free on the store's disk: the database and the models need room too."""
FACTS = (
    "size_bytes", "width", "height", "levels", "objective", "vendor", "properties",
)  # fmt: skip


def stage_upload(*, study: Study, stream: BinaryIO, name: str, size: int) -> StagedSlide:
    """Keep and check a file that is being sent; BadInput where it is no slide, Conflict where the study has it."""
    most = min(settings.UPLOAD_MOST_BYTES, max(0, store.free_bytes() - _RESERVE_BYTES))
    if size > most:
        remedy = "Put it into the server's import folder instead, or make room."
        raise BadInput(f"The file has {store.say_size(size)}; at most {store.say_size(most)} can be taken. {remedy}")
    path, checksum = store.receive(stream, suffix=Path(name).suffix, most_bytes=most)
    try:
        facts = _examine(path, name)
        del facts["checksum"]
        with transaction.atomic():
            study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
            _check_new(study, checksum=checksum, name=name)
            stored = store.adopt(path, checksum=checksum)
            return _add(study, name=name, checksum=checksum, stored=stored, facts=facts)
    finally:
        path.unlink(missing_ok=True)


def stage_file(*, study: Study, folder: Path, name: str, case: str, domain: Mapping[str, str]) -> StagedSlide:
    """Copy the file `name` of a folder on the server into the store, and stage it."""
    path = locate(folder, name)
    if path is None or not path.is_file():
        raise BadInput(f"There is no file '{name}' in that folder. Look at the folder again.")
    facts = _examine(path, name)
    checksum = facts.pop("checksum")
    _check_new(study, checksum=checksum, name=name)
    stored = store.put_slide(path, checksum=checksum)
    with transaction.atomic():
        study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        _check_new(study, checksum=checksum, name=name)
        row = _add(study, name=name, checksum=checksum, stored=stored, facts=facts)
        return describe(slide=row, case=case, domain={**row.domain, **domain})


def describe(*, slide: StagedSlide, case: str | None = None, domain: Mapping[str, str] | None = None) -> StagedSlide:
    """Say of which case and domain a staged slide is; what is None stays. Empty values may wait for later."""
    if case is not None:
        slide.case = _clean(case)
    if domain is not None:
        if set(domain) - set(slide.study.domains):
            raise BadInput("The study has no domain column of that name. Add it under Domains first.")
        slide.domain = {**slide.domain, **{column: _clean(value) for column, value in domain.items()}}
    slide.save(update_fields=["case", "domain"])
    return slide


@transaction.atomic
def describe_table(*, study: Study, text: str) -> int:
    """Take cases and domains from the text of a slides.csv; how many slides it described.

    Rows name staged slides by path, or by the last part of it. BadInput lists every problem; then nothing is taken.
    """
    problems = Problems()
    rows = list(parse_table(text, file=SLIDES_FILE, needed=["path"], optional=None, problems=problems))
    known = _names(study)
    described: list[tuple[StagedSlide, str | None, dict[str, str]]] = []
    columns = [name for name in (rows[0].values if rows else {}) if name not in ("path", "case")]
    for column in columns:
        if column not in study.domains:
            remedy = "Add it under Domains first, or take the column out."
            problems.add(file=SLIDES_FILE, line=1, reason=f"The study has no domain column '{column}'.", remedy=remedy)
    for row in rows:
        slide = known.get(row["path"]) or known.get(row["path"].rsplit("/", 1)[-1])
        if slide is None:
            remedy = "Upload it first, or take the line out."
            reason = f"There is no slide '{row['path']}' among those that were added."
            problems.add(file=SLIDES_FILE, line=row.line, reason=reason, remedy=remedy)
            continue
        values = {column: row[column] for column in columns if column in study.domains}
        described.append((slide, row["case"] if "case" in row.values else None, values))
    if not rows and not problems:
        problems.add(file=SLIDES_FILE, reason="It names no slide.", remedy="Add a line for each slide.")
    problems.raise_if_any(folder="that was pasted")
    for slide, case, values in described:
        describe(slide=slide, case=case, domain=values)
    return len(described)


@transaction.atomic
def remove(*, slide: StagedSlide) -> None:
    """Take a staged slide out again, and its file where nothing else needs it."""
    stored = slide.stored_name
    slide.delete()
    others = (
        StagedSlide.objects.filter(stored_name=stored).exists() or Slide.objects.filter(stored_name=stored).exists()
    )
    if not others:
        transaction.on_commit(lambda: store.discard(stored))


@transaction.atomic
def enter(*, study: Study) -> int:
    """Make slides of all that are staged, queue their tiling, and erase the names; how many there were.

    Conflict where one lacks its case or a value of its domain: nothing enters then.
    """
    study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    rows = list(StagedSlide.objects.filter(study=study).order_by("checksum"))
    lacking = [row for row in rows if not is_complete(row, columns=study.domains)]
    if lacking:
        raise Conflict(f"{len(lacking)} of {len(rows)} slides lack their case or a value of their domain.")
    known = set(Slide.objects.filter(study=study).values_list("checksum", flat=True))
    for row in rows:
        # The same file may have come by the API meanwhile.
        if row.checksum in known:
            continue
        slide = slides.add(study=study, plan=_plan(row, study), stored_name=row.stored_name)
        slides.prepare(slide, study=study)
    StagedSlide.objects.filter(study=study).delete()
    return len(rows)


def is_complete(row: StagedSlide, *, columns: list[str]) -> bool:
    """Whether the slide has its case and a value for each domain column."""
    return bool(row.case) and all(row.domain.get(column) for column in columns)


def pack_mask(mask: Any) -> bytes:
    """A mask (height, width) of bool as compressed bits."""
    return zlib.compress(np.packbits(mask).tobytes(), 6)


def _plan(row: StagedSlide, study: Study) -> SlidePlan:
    sizes = (row.um_per_px_x, row.um_per_px_y)
    return SlidePlan(
        name=row.name,
        path=store.root() / row.stored_name,
        line=0,
        case=row.case,
        domain={column: row.domain[column] for column in study.domains},
        checksum=row.checksum,
        um_per_px=None if sizes[0] is None or sizes[1] is None else (sizes[0], sizes[1]),
        **{name: getattr(row, name) for name in FACTS},
    )


def _examine(path: Path, name: str) -> dict[str, Any]:
    """What the file says of itself, and where its tissue is; BadInput where it can't be used as a slide."""
    try:
        facts = probe_slide(path)
        with open_slide(path) as reader:
            tissue = find_tissue(reader)
    except SlideError as error:
        raise BadInput(f"'{name}' can't be used: {error.reason} {error.remedy}") from error
    height, width = tissue.mask.shape
    across, down = facts["um_per_px"] or (None, None)
    return {
        **{key: facts[key] for key in ("checksum", *FACTS)},
        "um_per_px_x": across,
        "um_per_px_y": down,
        "tissue": pack_mask(tissue.mask),
        "tissue_width": width,
        "tissue_height": height,
        "tissue_share": tissue.share,
    }


def _check_new(study: Study, *, checksum: str, name: str) -> None:
    known = StagedSlide.objects.filter(study=study, checksum=checksum).first()
    if known is not None:
        raise Conflict(f"'{name}' has the same content as '{known.name}', which is here already. Leave it out.")
    if Slide.objects.filter(study=study, checksum=checksum).exists():
        raise Conflict(f"The content of '{name}' is a slide of this study already. Leave it out.")
    if StagedSlide.objects.filter(study=study, name=name).exists():
        raise Conflict(f"Another slide is called '{name}'. Rename one of the two files, or remove the other first.")


def _add(study: Study, *, name: str, checksum: str, stored: str, facts: dict[str, Any]) -> StagedSlide:
    try:
        with transaction.atomic():
            return StagedSlide.objects.create(
                study=study,
                public_id=study.opaque_id("staged", checksum),
                name=name,
                checksum=checksum,
                stored_name=stored,
                **facts,
            )
    except IntegrityError as error:
        raise Refused(f"'{name}' came twice at the same time. One of the two is here.") from error


def _names(study: Study) -> dict[str, StagedSlide]:
    """Staged slides by name, and by the last part of the name where only one has it."""
    rows = list(StagedSlide.objects.filter(study=study).select_related("study").defer("tissue"))
    last = [row.name.rsplit("/", 1)[-1] for row in rows]
    short = {name: row for name, row in zip(last, rows, strict=True) if last.count(name) == 1}
    return {**short, **{row.name: row for row in rows}}


def _clean(value: str) -> str:
    text = value.strip()
    if len(text) > LONGEST_VALUE or "\x00" in text:
        raise BadInput(f"A case or domain value has at most {LONGEST_VALUE} characters. Shorten it.")
    return text
