"""The logs of the embedded engines.

Decides when a log is put aside. Refuses to know what is written to it.
"""

from __future__ import annotations

import os
from typing import BinaryIO

from project.places import Place

LOG_BYTES = 5_000_000


def open_log(place: Place, name: str) -> BinaryIO:
    """Open an engine's log for appending; a long one is first moved to `<name>.log.old`."""
    path = place.log / f"{name}.log"
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.rename(path.with_suffix(".log.old"))
    log = path.open("ab")
    os.fchown(log.fileno(), place.owner, -1)
    return log


def last_lines(place: Place, *, count: int) -> list[str]:
    """The last lines of each log, each with the log's name."""
    return [
        f"{path.name}: {line}"
        for path in sorted(place.log.glob("*.log"))
        for line in path.read_text(errors="replace").splitlines()[-count:]
    ]
