"""Folders on the server that are open for imports, and what lies in them.

Decides what is listed and how much of it; refuses to open a slide: each is checked when it is added.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from annotation import store
from annotation.errors import Refused
from annotation.services.imports import allowed_folder
from annotation.studyfolder import Problem, Problems
from annotation.studyfolder.definition import FILE as DEFINITION_FILE
from annotation.studyfolder.slides import FILE as SLIDES_FILE
from annotation.studyfolder.slides import locate
from annotation.studyfolder.tables import read_table

MOST_FOLDERS = 200
MOST_FILES = 5000
DEEPEST = 2


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder by its path below the import folder."""

    name: str
    has_definition: bool
    has_table: bool
    slides: int


@dataclass(slots=True)
class Listing:
    """The slides of a folder: from its slides.csv, or all files that look like slides."""

    name: str
    has_table: bool
    columns: list[str] = field(default_factory=list)
    files: list[dict[str, object]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def listed() -> list[Folder] | None:
    """The folders that hold slides, a slides.csv or a study.toml; None where no import folder is set."""
    root = os.environ.get("CONCORD_IMPORT_ROOT", "")
    if not root or not Path(root).is_dir():
        return None
    base = Path(root).resolve()
    found: list[Folder] = []
    for path in _folders(base, DEEPEST):
        folder = _describe(path, base)
        if folder.slides or folder.has_table or folder.has_definition:
            found.append(folder)
        if len(found) == MOST_FOLDERS:
            break
    return found


def look(name: str) -> Listing:
    """What would be added from the folder `name`; problems of its slides.csv with line and remedy."""
    try:
        folder = allowed_folder(name)
        reason = "" if folder.is_dir() else "There is no such folder."
    except Refused as error:
        reason = error.message
    if reason:
        return Listing(name, has_table=False, problems=[Problem(name, None, reason, "Choose one of the list.")])
    if not (folder / SLIDES_FILE).is_file():
        paths = [path.relative_to(folder).as_posix() for path in _slide_files(folder)]
        return Listing(name, has_table=False, files=[{"path": path, "case": "", "domain": {}} for path in paths])
    return _read_table(name, folder)


def _read_table(name: str, folder: Path) -> Listing:
    problems = Problems()
    found = Listing(name, has_table=True)
    seen: dict[str, int] = {}
    for row in read_table(folder / SLIDES_FILE, needed=["path"], optional=None, problems=problems):
        found.columns = [column for column in row.values if column not in ("path", "case")]
        path = locate(folder, row["path"])
        if row["path"] in seen:
            reason, remedy = f"The slide is already on line {seen[row['path']]}.", "Keep one of the two lines."
        elif path is None:
            reason, remedy = f"The path '{row['path']}' leads outside the folder.", "Copy the slide into it."
        elif not path.is_file():
            reason, remedy = f"There is no file '{row['path']}'.", "Check the path, or take the line out."
        else:
            domain = {column: row[column] for column in found.columns}
            found.files.append({"path": row["path"], "case": row["case"], "domain": domain})
            seen[row["path"]] = row.line
            continue
        problems.add(file=SLIDES_FILE, line=row.line, reason=reason, remedy=remedy)
    found.problems = problems.listed()
    return found


def _folders(base: Path, depth: int) -> Iterator[Path]:
    try:
        entries = sorted(one for one in base.iterdir() if one.is_dir() and not one.name.startswith("."))
    except OSError:
        return
    for entry in entries:
        if entry.is_symlink():
            continue
        yield entry
        if depth > 1:
            yield from _folders(entry, depth - 1)


def _describe(path: Path, base: Path) -> Folder:
    try:
        slides = sum(one.suffix.lower() in store.SUFFIXES for one in path.iterdir() if one.is_file())
    except OSError:
        slides = 0
    return Folder(
        name=path.relative_to(base).as_posix(),
        has_definition=(path / DEFINITION_FILE).is_file(),
        has_table=(path / SLIDES_FILE).is_file(),
        slides=slides,
    )


def _slide_files(folder: Path) -> list[Path]:
    found = []
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for name in sorted(files):
            if Path(name).suffix.lower() in store.SUFFIXES and not name.startswith("."):
                found.append(Path(parent) / name)
            if len(found) == MOST_FILES:
                return found
    return found
