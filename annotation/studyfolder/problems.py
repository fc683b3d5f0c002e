"""What is wrong with a study folder: file, line, reason and remedy, collected until everything was looked at.

Decides how a problem is worded and how many are told; refuses to know what is being checked.
"""

from collections import Counter
from dataclasses import dataclass

from annotation.errors import BadInput

MOST_PER_FILE = 1000
"""A table with one wrong column would otherwise give a message for each of its rows."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. `line` counts from 1 as editors do; None where the whole file is meant."""

    file: str
    line: int | None
    reason: str
    remedy: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{place}: {self.reason} {self.remedy}"


class Problems:
    """Collects problems in the order in which they are met."""

    def __init__(self) -> None:
        self._found: list[Problem] = []
        self._per_file: Counter[str] = Counter()

    def add(self, *, file: str, reason: str, remedy: str, line: int | None = None) -> None:
        """Note a problem; beyond MOST_PER_FILE of one file they are only counted."""
        self._per_file[file] += 1
        if self._per_file[file] <= MOST_PER_FILE:
            self._found.append(Problem(file=file, line=line, reason=reason, remedy=remedy))

    def __bool__(self) -> bool:
        return bool(self._found)

    def __len__(self) -> int:
        return sum(self._per_file.values())

    def listed(self) -> list[Problem]:
        """All problems, with a closing one for each file that had more than are told."""
        more = [
            Problem(
                file=file,
                line=None,
                reason=f"{count - MOST_PER_FILE:,} more problems are not listed.",
                remedy="Mend those above first and import again.",
            )
            for file, count in self._per_file.items()
            if count > MOST_PER_FILE
        ]
        return [*self._found, *more]

    def raise_if_any(self, *, folder: str) -> None:
        """BadInput whose message has a line for each problem; nothing where there is none."""
        if not self._found:
            return
        lines = [str(problem) for problem in self.listed()]
        word = "problem" if len(self) == 1 else "problems"
        raise BadInput(
            f"The study folder {folder} has {len(self):,} {word}; nothing was imported.\n" + "\n".join(lines),
            problems=lines,
        )
