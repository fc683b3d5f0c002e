"""A program of Concord in processes and an engine folder of its own.

Decides how it is started, told to end and cleaned up after; refuses to know which program it is.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY

_UNWANTED = {"DATABASE_URL", "REDIS_URL", "DATABASE_OWNER_URL", "CONCORD_STORE", "DJANGO_ALLOW_ASYNC_UNSAFE"}


class Apart:
    """Started by `launch`; `stop` ends every process and deletes the engines' data. What it prints goes to `output`."""

    def __init__(self, *, var: Path, output: Path, **environment: str) -> None:
        self.var = var
        self.output = output
        self._env = {name: value for name, value in os.environ.items() if name not in _UNWANTED}
        self._env |= {"CONCORD_VAR": str(var), "DJANGO_SETTINGS_MODULE": "project.settings", **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self, *arguments: str) -> None:
        """Prepare the database, then start this Python with `arguments`."""
        self.output.parent.mkdir(parents=True, exist_ok=True)
        self.manage("prepare_database", "-v0")
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=REPOSITORY,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def wait(self, seconds: float) -> int:
        """The exit code."""
        assert self._process is not None
        return self._process.wait(seconds)

    def stop(self) -> None:
        """End what still runs and delete the engines' data."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(40)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._run("-m", "project.embedded", "discard", str(self.var))

    def manage(self, *arguments: str, **environment: str) -> None:
        """Run a command of manage.py on the same database."""
        done = self._run("manage.py", *arguments, **environment)
        assert done.returncode == 0, done.stderr

    def _run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=REPOSITORY,
            env={**self._env, **environment},
            check=False,
            capture_output=True,
            text=True,
        )
