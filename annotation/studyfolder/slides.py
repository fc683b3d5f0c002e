"""`slides.csv`: which files are slides, of which case and domain.

Decides that a slide lies inside the folder, decodes, and comes once; refuses to know regions.
"""

from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath

from annotation.studyfolder.plan import SlidePlan
from annotation.studyfolder.probing import probe_slide
from annotation.studyfolder.problems import Problems
from annotation.studyfolder.tables import Row, read_table
from learning.slides.errors import SlideError

FILE = "slides.csv"
Progress = Callable[[str, int, int], None]


def read_slides(
    folder: Path, *, domains: list[str] | None, problems: Problems, progress: Progress
) -> tuple[list[SlidePlan], set[str]]:
    """The slides that hold, and the names of all that were listed.

    The latter keep the regions of a slide that does not hold from being told as unknown. `domains` is None where
    study.toml does not say which there are: any column may then be one.
    """
    if not (folder / FILE).is_file():
        remedy = "It has the columns path, case and one for each domain."
        problems.add(file=FILE, reason="The file is missing.", remedy=remedy)
        return [], set()
    optional = None if domains is None else ()
    needed = ["path", "case", *(domains or [])]
    rows = list(read_table(folder / FILE, needed=needed, optional=optional, problems=problems))
    if not rows and not problems:
        problems.add(file=FILE, reason="It names no slide.", remedy="Add a line for each slide.")
    slides: list[SlidePlan] = []
    first_lines: dict[str, int] = {}
    for number, row in enumerate(rows, 1):
        slide = _slide(folder, row, domains or [], first_lines, problems)
        if slide is not None:
            slides.append(slide)
        progress("slides", number, len(rows))
    return _distinct(slides, problems), set(first_lines)


def _slide(
    folder: Path, row: Row, domains: list[str], first_lines: dict[str, int], problems: Problems
) -> SlidePlan | None:
    name = row["path"]

    def tell(reason: str, remedy: str) -> None:
        problems.add(file=FILE, line=row.line, reason=reason, remedy=remedy)

    holds = True
    for column in ("path", "case", *domains):
        if not row[column]:
            tell(f"The column '{column}' is empty.", "Every slide has a path, a case and its domain's values.")
            holds = False
    if name in first_lines:
        tell(f"The slide '{name}' is already on line {first_lines[name]}.", "Keep one of the two lines.")
        return None
    first_lines[name] = row.line
    path = locate(folder, name)
    if path is None:
        tell(
            f"The path '{name}' leads outside the study folder.",
            "Copy the slide into it; give a relative path.",
        )
        return None
    try:
        facts = probe_slide(path)
    except SlideError as error:
        tell(f"The slide '{name}' can't be used: {error.reason}", error.remedy)
        return None
    if not holds:
        return None
    domain = {column: row[column] for column in domains}
    return SlidePlan(name=name, path=path, line=row.line, case=row["case"], domain=domain, **facts)


def locate(folder: Path, name: str) -> Path | None:
    """The file `name` inside `folder`; None for absolute paths, `..`, and links that lead out of it."""
    if not name or "\\" in name or PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive:
        return None
    try:
        path = (folder / name).resolve()
    except (OSError, ValueError, RuntimeError):
        return None
    return path if path.is_relative_to(folder.resolve()) else None


def _distinct(slides: list[SlidePlan], problems: Problems) -> list[SlidePlan]:
    """Leave out and tell slides whose content came before under another name."""
    first: dict[str, SlidePlan] = {}
    for slide in slides:
        other = first.setdefault(slide.checksum, slide)
        if other is not slide:
            reason = f"The slide '{slide.name}' has the same content as '{other.name}' on line {other.line}."
            problems.add(file=FILE, line=slide.line, reason=reason, remedy="Keep one of the two.")
    return list(first.values())
