"""CSV tables of a release: one dialect, stable bytes, and no cell that a spreadsheet would run.

Decides how values become text and back; refuses to know what the columns mean.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""CWE-1236. The apostrophe is among them so that taking the guard off again is exact."""
_NEEDS_QUOTES = re.compile('[,"\r\n]')


def render(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The table as UTF-8 with a header line and newlines of one byte."""
    lines = [",".join(map(_quote, columns))]
    lines += [",".join(map(_cell, row)) for row in rows]
    return "".join(f"{line}\n" for line in lines).encode()


def read(path: Path) -> list[dict[str, str]]:
    """Rows as column -> text, guards taken off; ValueError with the line where a row has too many or few cells."""
    with path.open(encoding="utf-8", newline="") as stream:
        text = stream.read()
    reader = csv.reader(StringIO(text, newline=""))
    columns = next(reader, None)
    if columns is None:
        raise ValueError(f"{path.name} is empty: it lacks even its header line.")
    # Few tables hold a guard at all, and looking at each of a million cells takes longer than reading them.
    is_guarded = "'" in text
    rows = []
    for cells in reader:
        if len(cells) != len(columns):
            raise ValueError(f"{path.name}, line {reader.line_num}: {len(cells)} cells instead of {len(columns)}.")
        rows.append(dict(zip(columns, map(_unguard, cells) if is_guarded else cells, strict=True)))
    return rows


def to_text(value: object) -> str:
    """Text of a cell: floats with six decimals, truth as 1 and 0, nothing as an empty cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return f"{value:.6f}"
    return str(value)


def _cell(value: object) -> str:
    return _quote(guard(value if type(value) is str else to_text(value)))


def _quote(text: str) -> str:
    # Not by the csv module: it leaves a carriage return bare, which then reads back as the end of a row.
    if _NEEDS_QUOTES.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text


def guard(text: str) -> str:
    """The text of a cell as no spreadsheet takes it for a formula: names of people are not ours to trust."""
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text


def _unguard(text: str) -> str:
    return text[1:] if text.startswith("'") else text
