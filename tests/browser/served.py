"""Concord as `make serve` runs it, with engines, web server, workers, beat and sweep, in a folder of its own.

Decides when it is said to answer; refuses to look inside: a browser does.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

from project import embedded
from tests.apart import Apart

START_SECONDS = 120.0
_URL = re.compile(r"Concord is at (http://\S+?)/?\s")


class Served(Apart):
    """The site below `folder`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(var=folder / "var", output=folder / "serve.out", PORT="18700")

    def start(self) -> str:
        """Start everything; the address of the site."""
        self.launch("-m", "project.serve")
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.is_running:
            if found := _URL.search(self.output.read_text(errors="replace")):
                return found[1]
            time.sleep(0.1)
        raise AssertionError(f"The site did not start:\n{self.tail()}")

    def tail(self) -> str:
        """What was printed last."""
        return self.output.read_text(errors="replace")[-4000:] if self.output.is_file() else ""

    @property
    def is_clean(self) -> bool:
        """Whether nothing of the engines is left."""
        return not embedded.engine_pids(self.var)
