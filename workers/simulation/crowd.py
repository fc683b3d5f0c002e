"""People as threads on real time, with real workers doing the jobs in their own processes.

Decides how threads meet the queue's answers (wait, try again, stop); refuses to know what is labelled.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from annotation.errors import LeaseLost, TryAgain
from annotation.models import Job, Study
from annotation.services import loop
from annotation.states import LIVE_JOBS
from workers.simulation import work
from workers.simulation.crew import Crew, Person

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.3
PATIENCE_SECONDS = 900.0


class Crowd:
    """Runs a study's people as threads against the database, `think_scale` times their simulated seconds."""

    def __init__(
        self, *, study: Study, crew: Crew, think_scale: float = 0.0, told: Callable[[], None] = lambda: None
    ) -> None:
        self.study = study
        self.crew = crew
        self.answers = 0
        self._think_scale = think_scale
        self._told = told
        self._lock = threading.Lock()
        self._holding = 0

    def run_jobs(self) -> None:
        """Wait until the workers have nothing left to do; TimeoutError where they do not get on."""
        loop.nudge(study=self.study)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._jobs_live():
            if time.monotonic() > deadline:
                raise TimeoutError("Background jobs do not end: are workers running? See the jobs' errors.")
            time.sleep(PAUSE_SECONDS)
            self._told()

    def label(self, *, until: int | None = None) -> None:
        """Let annotators answer until nothing is left for them, or `until` answers are given."""
        self._run(self.crew.annotators, kind="label", until=until)

    def adjudicate(self) -> None:
        """Let adjudicators decide what waits for them."""
        self._run(self.crew.adjudicators, kind="adjudicate", until=None)

    def _run(self, people: list[Person], *, kind: str, until: int | None) -> None:
        with ThreadPoolExecutor(len(people)) as pool:
            futures = [pool.submit(self._live, person, kind, until) for person in people]
        for future in futures:
            future.result()

    def _live(self, person: Person, kind: str, until: int | None) -> None:
        try:
            while until is None or self.answers < until:
                worked = self._work_once(person, kind)
                if not worked and self._is_over(kind):
                    return
        finally:
            connection.close()

    def _work_once(self, person: Person, kind: str) -> bool:
        """One claim and answer; False after a pause when nothing was to be had."""
        try:
            with self._lock:
                self._holding += 1
            try:
                task = work.take(person, kind=kind)
                if task is not None:
                    time.sleep(task.response.seconds * self._think_scale)
                    answered = work.finish(person, task)
                    with self._lock:
                        self.answers += answered
                    self._told()
                    return True
            finally:
                with self._lock:
                    self._holding -= 1
        except (TryAgain, LeaseLost) as error:
            logger.info("%s", error.message)
            return True
        time.sleep(PAUSE_SECONDS)
        return False

    def _is_over(self, kind: str) -> bool:
        """Whether nothing can come any more: nobody holds a region and no job is under way."""
        if kind == "adjudicate":
            return True
        if self._holding or self._jobs_live():
            return False
        loop.nudge(study=self.study)
        return not self._jobs_live()

    def _jobs_live(self) -> bool:
        return Job.objects.filter(study=self.study, state__in=LIVE_JOBS).exists()
