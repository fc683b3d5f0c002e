"""Tables of a study folder: CSV rows with their line numbers, columns checked once.

Decides what a readable table is; refuses to know what its columns mean.
"""

import csv
import io
import math
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from annotation.studyfolder.problems import Problems

LONGEST_FIELD = 1000
_WHOLE = re.compile(r"-?[0-9]{1,12}")

if TYPE_CHECKING:
    from _csv import Reader


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table; values are stripped text, missing optional columns are empty."""

    file: str
    line: int
    values: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.values.get(column, "")


def read_table(
    path: Path, *, needed: Collection[str], problems: Problems, optional: Collection[str] | None = ()
) -> Iterator[Row]:
    """Yield the rows of `path`; rows that do not fit the header are told and left out.

    Unknown columns are told too: a misspelt optional column would otherwise be silently ignored. With
    `optional` None any column may stand there.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            yield from _rows(csv.reader(stream, strict=True), path.name, needed, optional, problems)
    except UnicodeDecodeError as error:
        reason = f"It is not UTF-8 text (byte {error.start})."
        problems.add(file=path.name, reason=reason, remedy="Save it again as CSV in UTF-8.")
    except OSError as error:
        reason = f"It can't be read: {error.strerror}."
        problems.add(file=path.name, reason=reason, remedy="Check that it is a file you may read.")


def parse_table(
    text: str,
    *,
    file: str,
    needed: Collection[str],
    problems: Problems,
    optional: Collection[str] | None = (),
) -> Iterator[Row]:
    """As `read_table`, of a table that was entered as text; `file` is what its problems call it."""
    lines = io.StringIO(text.removeprefix("\ufeff"), newline="")
    yield from _rows(csv.reader(lines, strict=True), file, needed, optional, problems)


def _rows(
    reader: "Reader", file: str, needed: Collection[str], optional: Collection[str] | None, problems: Problems
) -> Iterator[Row]:
    try:
        header = [name.strip() for name in next(reader, [])]
        if not _check_header(header, file, needed, optional, problems):
            return
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            row = _row(cells, header, file, reader.line_num, problems)
            if row is not None:
                yield row
    except csv.Error as error:
        reason = f"The line is not valid CSV: {error}."
        problems.add(file=file, line=reader.line_num, reason=reason, remedy="Mend its quotes and commas.")


def _row(cells: list[str], header: list[str], file: str, line: int, problems: Problems) -> Row | None:
    if len(cells) != len(header):
        reason = f"The line has {len(cells)} fields, the header {len(header)}."
        problems.add(file=file, line=line, reason=reason, remedy="Quote fields that hold a comma.")
        return None
    if any(len(cell) > LONGEST_FIELD or "\x00" in cell for cell in cells):
        reason = f"A field is longer than {LONGEST_FIELD} characters or holds a NUL byte."
        problems.add(file=file, line=line, reason=reason, remedy="Mend or shorten it.")
        return None
    return Row(file, line, {name: cell.strip() for name, cell in zip(header, cells, strict=True)})


def _check_header(
    header: list[str], file: str, needed: Collection[str], optional: Collection[str] | None, problems: Problems
) -> bool:
    if len(header) == 1 and (mark := next((mark for mark in ";\t" if mark in header[0]), "")):
        reason = f"Its columns are separated by {'semicolons' if mark == ';' else 'tabs'}."
        problems.add(file=file, line=1, reason=reason, remedy="Save it again as CSV with commas.")
        return False
    missing = [name for name in needed if name not in header]
    unknown = [name for name in header if optional is not None and name not in needed and name not in optional]
    twice = sorted({name for name in header if header.count(name) > 1})
    wanted = ", ".join(needed) + (f" (optional: {', '.join(optional)})" if optional else "")
    for name in missing:
        reason = f"The column '{name}' is missing."
        problems.add(file=file, line=1, reason=reason, remedy=f"Its columns are {wanted}.")
    for name in unknown:
        reason = f"The column '{name}' is not known."
        problems.add(file=file, line=1, reason=reason, remedy=f"Its columns are {wanted}.")
    for name in twice:
        problems.add(file=file, line=1, reason=f"The column '{name}' comes twice.", remedy="Keep one of them.")
    return not (missing or twice)


def whole_number(row: Row, column: str, problems: Problems) -> int | None:
    """The column as a whole number; a problem and None where it is none."""
    text = row[column]
    if _WHOLE.fullmatch(text):
        return int(text)
    reason = f"'{column}' must be a whole number, not '{_short(text)}'."
    problems.add(file=row.file, line=row.line, reason=reason, remedy="Give it in level-0 pixels.")
    return None


def positive_seconds(row: Row, column: str, problems: Problems) -> float | None:
    """The column as seconds, None where it is empty; a problem where it is no time."""
    text = row[column]
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        reason = f"'{column}' must be a time in seconds, not '{_short(text)}'."
        problems.add(file=row.file, line=row.line, reason=reason, remedy="Leave it empty where it is unknown.")
        return None
    return value


def yes_or_no(row: Row, column: str, problems: Problems) -> bool:
    """The column as a claim; empty means no."""
    text = row[column].lower()
    if text not in {"", "true", "false", "1", "0", "yes", "no"}:
        reason = f"'{column}' must be true or false, not '{_short(text)}'."
        problems.add(file=row.file, line=row.line, reason=reason, remedy="Leave it empty for false.")
    return text in {"true", "1", "yes"}


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."
