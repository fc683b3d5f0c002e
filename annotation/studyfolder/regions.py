"""`regions.csv`, `truth.csv` and `votes.csv`: rectangles on slides and what is known about them.

Decides that ids, rectangles and classes hold together; refuses to know where they are stored.
"""

from collections.abc import Collection
from pathlib import Path

from annotation.studyfolder.plan import RegionPlan, SlidePlan, TruthPlan, VotePlan
from annotation.studyfolder.problems import Problems
from annotation.studyfolder.tables import Row, positive_seconds, read_table, whole_number, yes_or_no

REGIONS, TRUTH, VOTES = "regions.csv", "truth.csv", "votes.csv"
_COLUMNS = ("id", "slide", "x", "y", "width", "height")
_LARGEST = 2**31 - 1


class RegionTable:
    """Rows of regions.csv, checked one by one against each other and their slides."""

    def __init__(self, *, slides: Collection[SlidePlan], listed: Collection[str], problems: Problems) -> None:
        self._sizes = {slide.name: (slide.width, slide.height) for slide in slides}
        self._listed = set(listed) | set(self._sizes)
        self._problems = problems
        self._rectangles: dict[tuple[str, int, int, int, int], int] = {}
        self.lines: dict[str, int] = {}
        self.by_slide: dict[str, list[RegionPlan]] = {}

    def take(self, row: Row) -> None:
        """Add the row's region, or tell what is wrong with it."""
        name, slide = row["id"], row["slide"]
        if not name:
            return self._tell(row, "The region has no id.", "Give each region an id of its own.")
        if name in self.lines:
            reason = f"The id '{name}' is already on line {self.lines[name]}."
            return self._tell(row, reason, "Give each region an id of its own.")
        self.lines[name] = row.line
        if slide not in self._listed:
            return self._tell(row, f"The slide '{slide}' is not in slides.csv.", "Use its path as written there.")
        numbers = [whole_number(row, column, self._problems) for column in _COLUMNS[2:]]
        x, y, width, height = (-1 if number is None else number for number in numbers)
        if None in numbers or not self._fits(row, slide, x, y, width, height):
            return None
        first = self._rectangles.setdefault((slide, x, y, width, height), row.line)
        if first != row.line:
            return self._tell(row, f"The region '{name}' has the rectangle of line {first}.", "Keep one of them.")
        self.by_slide.setdefault(slide, []).append(RegionPlan(name, x, y, width, height, row.line))
        return None

    def _fits(self, row: Row, slide: str, x: int, y: int, width: int, height: int) -> bool:
        if width < 1 or height < 1:
            self._tell(row, f"The region '{row['id']}' has no area.", "Width and height are at least 1 pixel.")
            return False
        right, bottom = self._sizes.get(slide, (_LARGEST, _LARGEST))
        if x < 0 or y < 0 or x + width > right or y + height > bottom:
            reason = (
                f"The region '{row['id']}' (x {x} to {x + width}, y {y} to {y + height}) lies outside its "
                f"slide of {right} x {bottom} pixels."
            )
            self._tell(row, reason, "Clip it to the slide; coordinates are level-0 pixels from the top left.")
            return False
        return True

    def _tell(self, row: Row, reason: str, remedy: str) -> None:
        self._problems.add(file=row.file, line=row.line, reason=reason, remedy=remedy)


def read_regions(
    folder: Path, *, slides: Collection[SlidePlan], listed: Collection[str], problems: Problems
) -> RegionTable | None:
    """All regions, by slide; None where there is no regions.csv."""
    path = folder / REGIONS
    if not path.exists():
        return None
    table = RegionTable(slides=slides, listed=listed, problems=problems)
    for row in read_table(path, needed=_COLUMNS, problems=problems):
        table.take(row)
    if not table.lines and not problems:
        remedy = "Add regions, or remove the file so that tissue is found and tiled."
        problems.add(file=REGIONS, reason="It names no region.", remedy=remedy)
    return table


def read_truth(
    folder: Path, *, regions: RegionTable | None, codes: Collection[str], problems: Problems
) -> dict[str, TruthPlan]:
    """What is known, by region id; empty where there is no truth.csv."""
    truth: dict[str, TruthPlan] = {}
    lines: dict[str, int] = {}
    if not _table_is_usable(folder / TRUTH, regions, problems):
        return truth
    rows = read_table(folder / TRUTH, needed=["region", "label"], optional=["borderline", "gold"], problems=problems)
    for row in rows:
        name = row["region"]
        holds = _check_region(row, regions, problems) & _check_class(row, "label", codes, problems)
        if row["borderline"]:
            holds &= _check_class(row, "borderline", codes, problems)
        if name in lines:
            reason = f"The region '{name}' already has its truth on line {lines[name]}."
            problems.add(file=TRUTH, line=row.line, reason=reason, remedy="Keep one of the two lines.")
            continue
        lines[name] = row.line
        if holds:
            truth[name] = TruthPlan(row["label"], row["borderline"], yes_or_no(row, "gold", problems))
    return truth


def read_votes(
    folder: Path, *, regions: RegionTable | None, codes: Collection[str], problems: Problems
) -> list[VotePlan]:
    """Recorded opinions in file order; empty where there is no votes.csv."""
    votes: list[VotePlan] = []
    lines: dict[tuple[str, str], int] = {}
    if not _table_is_usable(folder / VOTES, regions, problems):
        return votes
    for row in read_table(
        folder / VOTES, needed=["region", "annotator", "label"], optional=["seconds"], problems=problems
    ):
        pair = (row["region"], row["annotator"])
        holds = _check_region(row, regions, problems) & _check_class(row, "label", codes, problems)
        seconds = positive_seconds(row, "seconds", problems)
        if not row["annotator"]:
            reason, remedy = (
                "The vote has no annotator.",
                "Name each annotator; only a keyed digest is stored.",
            )
            problems.add(file=VOTES, line=row.line, reason=reason, remedy=remedy)
        elif pair in lines:
            reason = f"'{pair[1]}' already voted on the region '{pair[0]}' on line {lines[pair]}."
            problems.add(file=VOTES, line=row.line, reason=reason, remedy="Keep one vote for each person.")
        elif holds:
            votes.append(VotePlan(pair[0], pair[1], row["label"], seconds))
        lines.setdefault(pair, row.line)
    return votes


def _table_is_usable(path: Path, regions: RegionTable | None, problems: Problems) -> bool:
    if not path.exists():
        return False
    if regions is None:
        reason = "It speaks of regions, but there is no regions.csv."
        problems.add(file=path.name, reason=reason, remedy="Add regions.csv or remove this file.")
        return False
    return True


def _check_region(row: Row, regions: RegionTable | None, problems: Problems) -> bool:
    if regions is not None and row["region"] in regions.lines:
        return True
    reason = f"The region '{row['region']}' is not in regions.csv."
    problems.add(file=row.file, line=row.line, reason=reason, remedy="Use the id as written there.")
    return False


def _check_class(row: Row, column: str, codes: Collection[str], problems: Problems) -> bool:
    # Without any class it is study.toml that has to be mended.
    if row[column] in codes or not codes:
        return True
    reason = f"The {column} '{row[column]}' is not a class of study.toml."
    remedy = f"Its classes are {', '.join(sorted(codes))}."
    problems.add(file=row.file, line=row.line, reason=reason, remedy=remedy)
    return False
