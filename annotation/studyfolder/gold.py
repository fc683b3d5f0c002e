"""Reads a list of gold: a table of region and label.

Decides what a line must hold; whether region and class exist is asked where they are known.
"""

import csv
import io

from annotation.errors import BadInput

_COLUMNS = ("region", "label")


def read_gold(text: str) -> list[tuple[str, str]]:
    """(region, label) of each line of a CSV with these columns; BadInput lists every line that does not hold."""
    rows = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""), skipinitialspace=True)
    try:
        names = [name.strip() for name in rows.fieldnames or []]
        missing = [name for name in _COLUMNS if name not in names]
        if missing:
            raise BadInput(f"The list needs the columns region and label; {' and '.join(missing)} is missing.")
        rows.fieldnames = names
        lines = [(rows.line_num, row.get("region") or "", row.get("label") or "") for row in rows]
    except csv.Error as error:
        raise BadInput(f"The list is no CSV: {error}.") from error
    problems = [f"Line {line} lacks a region or a label." for line, *cells in lines if not all(map(str.strip, cells))]
    if problems:
        raise BadInput(" ".join(problems[:20]), problems=problems)
    return [(region.strip(), label.strip()) for _, region, label in lines]
