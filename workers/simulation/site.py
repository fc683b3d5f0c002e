"""All of Concord's programs as one child process: web, workers, trainer, beat, sweep, engines.

Decides when the site is said to answer; refuses to know how its programs are supervised.
"""

import ctypes
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from annotation.models import WorkerStamp
from workers.catalogue import QUEUES

START_SECONDS = 120.0
STOP_SECONDS = 30.0
STAMP_SECONDS = 20.0
"""Beat has each queue stamped every few seconds."""
_URL = re.compile(r"Concord is at (http://\S+)")
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class Site:
    """Started by `start`, ended by `stop`; what it prints goes to `log`. A child never outlives this process."""

    def __init__(self, *, log: Path) -> None:
        self.log = log
        self.url = ""
        self._found = threading.Event()
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> str:
        """Start everything and return the URL once it answers; RuntimeError with the log's end where it does not."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "project.serve"],
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - takes no lock, imports nothing
        )
        threading.Thread(target=self._read, name="site log", daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.is_alive:
            if self._found.wait(0.2) and self._answers():
                return self.url
        self.stop()
        raise RuntimeError(f"The site did not start. The end of {self.log}:\n{self.tail()}")

    @property
    def is_alive(self) -> bool:
        """Whether the supervisor runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Stop all programs, by force after a while."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def tail(self, lines: int = 15) -> str:
        """The last lines that the programs printed."""
        if not self.log.is_file():
            return ""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        with self.log.open("w", encoding="utf-8") as log:
            for line in self._process.stdout:
                log.write(line)
                log.flush()
                if not self.url and (found := _URL.search(line)):
                    self.url = found.group(1)
                    self._found.set()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}health/ready/", timeout=5) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
            return False


@contextmanager
def workers_alive(*, told: Callable[[str], None]) -> Iterator[None]:
    """Within the block workers run: those that gave a sign of life lately, or else a site of our own."""
    lately = timezone.now() - timedelta(seconds=STAMP_SECONDS)
    if WorkerStamp.objects.filter(queue__in=QUEUES, seen_at__gt=lately).count() == len(QUEUES):
        yield
        return
    told("No workers give a sign of life: starting some for the while.")
    site = Site(log=Path(settings.VAR) / "log" / "simulate-site.log")
    site.start()
    try:
        yield
    finally:
        site.stop()


def _die_with_parent() -> None:
    """Ask the kernel to end the child with the thread that started it: kill -9 of a demo leaves nothing behind."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
