"""A demo in processes and an engine folder of its own, and what a test can do to it and see of it.

Looks from outside only: process ids, the acknowledged log, and the database as its owner.
"""

import json
import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from project import embedded
from project.places import find_place
from tests.apart import Apart


class Demo(Apart):
    """`manage.py demo` below `var`."""

    def __init__(self, *, var: Path, study: Path, arguments: list[str]) -> None:
        super().__init__(var=var, output=var / "demo.out", NO_COLOR="1")
        self.report = var / "report.json"
        self._options = ["--study", str(study), "--exit", "--report", str(self.report), *arguments]

    def start(self) -> None:
        """Start the demo."""
        self.launch("manage.py", "demo", *self._options)

    def tail(self) -> str:
        """What the demo and its programs printed last."""
        texts = [self.output, self.var / "log" / "demo-site.log"]
        return "\n".join(path.read_text(errors="replace")[-3000:] for path in texts if path.is_file())

    def pid_of(self, program: str) -> int:
        """The process id of a program, or of an engine, that runs now."""
        path = self.var / "run" / f"{program}.pid"
        if program in ("postgresql", "redis"):
            return embedded.engine_pids(self.var).get(program, 0)
        return int(path.read_text()) if path.is_file() else 0

    def child_of(self, program: str) -> int:
        """A pool process of a worker."""
        parent = self.pid_of(program)
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return int(children[-1]) if children else 0

    def kill(self, pid: int) -> float:
        """kill -9; the moment by the clock that all processes share."""
        assert pid > 1
        os.kill(pid, signal.SIGKILL)
        return time.time()

    def delete_redis_data(self) -> None:
        """Delete what Redis keeps on disk."""
        folder = find_place(self.var).base / "redis"
        assert folder.is_dir()
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def acknowledged(self) -> list[float]:
        """When each acknowledged write was acknowledged."""
        logs = sorted((self.var / "demo").glob("*-acknowledged.jsonl"))
        lines = logs[-1].read_text().splitlines() if logs else []
        return [json.loads(line)["at"] for line in lines if re.fullmatch(r"\{.*\}", line)]

    def job_moments(self) -> list[float]:
        """When jobs last gave a sign of life."""
        rows = self.ask("SELECT extract(epoch FROM greatest(heartbeat_at, finished_at)) FROM annotation_job")
        return [float(moment) for (moment,) in rows if moment is not None]

    def ask(self, query: str) -> list[tuple]:
        """Rows of a query, or none while the database is away."""
        try:
            with psycopg.connect(embedded.engine_urls(self.var).owner_url, connect_timeout=3) as server:
                return server.execute(query).fetchall()
        except psycopg.Error:
            return []


def wait_until(holds: Callable[[], bool], *, seconds: float, pause: float = 0.1) -> bool:
    """Whether `holds` became true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(pause)
    return holds()
