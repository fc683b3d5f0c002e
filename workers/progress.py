"""How far a running job is, and proof that it lives.

Decides when a step must stop because its job went to another; refuses to know what the step does.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import Error, connection

from annotation.models import Job
from annotation.services import jobs

logger = logging.getLogger(__name__)

BEAT_SECONDS = 2.0


class Progress:
    """Handed to every step. Call it with (done, total); write through `fenced`."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.done = 0
        self.total = 0
        self.is_lost = False

    def __call__(self, done: int, total: int) -> None:
        """Note how far the step is; JobLost when the job has gone to another attempt."""
        self.done, self.total = done, total
        if self.is_lost:
            raise jobs.JobLost(f"Job {self.job.pk} went to another worker.")

    @contextmanager
    def fenced(self) -> Iterator[None]:
        """A transaction that commits only if this attempt still holds the job."""
        with jobs.fenced(self.job):
            yield

    def finish(self, result: dict[str, Any]) -> None:
        """End the job inside a fenced transaction, where its last write and its end must be one."""
        jobs.finish(job=self.job, result=result, done=self.done, total=self.total)


class Heart(threading.Thread):
    """Beats for one job over its own connection until stopped, so that a step may block for long."""

    def __init__(self, report: Progress) -> None:
        super().__init__(name=f"heart of job {report.job.pk}", daemon=True)
        self.report = report
        self._stopped = threading.Event()

    def run(self) -> None:
        try:
            while not self._stopped.wait(BEAT_SECONDS):
                self._beat()
        finally:
            connection.close()

    def _beat(self) -> None:
        try:
            held = jobs.heartbeat(job=self.report.job, done=self.report.done, total=self.report.total)
        except Error as error:
            # The database may be back before the sweep takes the job for dead.
            logger.warning("No heartbeat for job %s: %s", self.report.job.pk, error)
            connection.close()
            return
        if not held:
            self.report.is_lost = True
            self._stopped.set()

    def __enter__(self) -> "Heart":
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._stopped.set()
        self.join()
