"""The one error of slides: which file, why it is refused, and what to do about it.

It decides the wording only; it knows no reader.
"""

from __future__ import annotations

from pathlib import Path


class SlideError(Exception):
    """A slide file that can't be used. `reason` and `remedy` are sentences for the person who brought the
    file.
    """

    def __init__(self, path: str | Path, reason: str, remedy: str) -> None:
        super().__init__(str(path), reason, remedy)
        self.path = Path(path)
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.path}: {self.reason} {self.remedy}"
