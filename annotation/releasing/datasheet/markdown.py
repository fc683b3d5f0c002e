"""Markdown of a datasheet: tables, quotations and numbers, safe whatever people have typed.

Decides how values are written; refuses to know what they mean.
"""

from collections.abc import Iterable, Mapping, Sequence


def table(columns: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """A table, cells as plain text."""
    lines = ["| " + " | ".join(plain(cell) for cell in columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(plain(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def quoted(text: str) -> str:
    """Text of people as a quotation, line by line."""
    return "\n".join(f"> {plain(line)}" for line in text.splitlines())


def plain(value: object) -> str:
    """Text that Markdown takes for text: no cell can end its row, and no tag or link can begin."""
    text = " ".join(str(value).split())
    for character in "\\|<>[]`*_":
        text = text.replace(character, f"\\{character}")
    return text


def percent(bounds: Sequence[float]) -> str:
    """A share and its interval."""
    value, low, high = (100 * number for number in bounds)
    return f"{value:.1f} % ({low:.1f} to {high:.1f})"


def estimate(values: Sequence[float | None]) -> str:
    """A value and its interval, where there is one."""
    value, low, high = values
    if value is None:
        return "-"
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} ({low:.3f} to {high:.3f})"


def listed(counts: Mapping[str, int]) -> str:
    """Names and counts of what is not zero."""
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items()) if number)


def dash(value: object) -> object:
    """The value, or a dash where there is none."""
    return "-" if value in (None, "") else value
