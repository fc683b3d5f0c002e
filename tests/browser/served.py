"""Concord as `make serve` runs it, with engines, web server, workers, beat and sweep, in a folder of its own.

Decides how it is started and ended; refuses to look inside: a browser does.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from project import embedded
from tests.conftest import REPOSITORY

START_SECONDS = 120.0
_URL = re.compile(r"Concord is at (http://\S+?)/?\s")


class Served:
    """Started by `start`; `stop` ends every process and deletes the engines' data."""

    def __init__(self, folder: Path) -> None:
        self.var = folder / "var"
        self.output = folder / "serve.out"
        unwanted = {"DATABASE_URL", "REDIS_URL", "DATABASE_OWNER_URL", "CONCORD_STORE", "DJANGO_ALLOW_ASYNC_UNSAFE"}
        self._env = {name: value for name, value in os.environ.items() if name not in unwanted}
        self._env |= {"CONCORD_VAR": str(self.var), "DJANGO_SETTINGS_MODULE": "project.settings", "PORT": "18700"}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Prepare the database and start everything; the address of the site."""
        self.manage("prepare_database", "-v0")
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "project.serve"],
                cwd=REPOSITORY, env=self._env, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if found := _URL.search(self.output.read_text(errors="replace")):
                return found[1]
            time.sleep(0.1)
        raise AssertionError(f"The site did not start:\n{self.tail()}")

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(40)
            except subprocess.TimeoutExpired:
                self._process.kill()
        subprocess.run(
            [sys.executable, "-m", "project.embedded", "discard", str(self.var)],
            cwd=REPOSITORY, env=self._env, check=False, capture_output=True,
        )  # fmt: skip

    def manage(self, *arguments: str, **environment: str) -> None:
        """Run a command of manage.py on the same database."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=REPOSITORY, env={**self._env, **environment}, check=False, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def tail(self) -> str:
        """What was printed last."""
        return self.output.read_text(errors="replace")[-4000:] if self.output.is_file() else ""

    @property
    def is_clean(self) -> bool:
        """Whether nothing of the engines is left."""
        return not embedded.engine_pids(self.var)
