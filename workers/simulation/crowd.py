"""People as threads on real time, with real workers doing the jobs in their own processes.

Decides how threads meet the queue's answers (wait, try again, stop); refuses to know how they reach it.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from annotation.models import Job, Study
from annotation.services import loop
from annotation.states import LIVE_JOBS
from workers.simulation.crew import Crew, Person
from workers.simulation.patience import patiently
from workers.simulation.work import Outcome, Workplace, count_owed

PAUSE_SECONDS = 0.3
PATIENCE_SECONDS = 900.0


class Crowd:
    """Runs a study's people, a thread each, at a workplace; `told` is called after each answer."""

    def __init__(
        self, *, study: Study, crew: Crew, workplace: Workplace, told: Callable[[], None] = lambda: None
    ) -> None:
        self.study = study
        self.crew = crew
        self.answers = 0
        self._workplace = workplace
        self._told = told
        self._lock = threading.Lock()
        self._at_work = 0
        self._asking_again = 0
        self._stops = threading.Event()

    def stop(self) -> None:
        """Let everybody finish the region at hand and go."""
        self._stops.set()

    def run_jobs(self) -> None:
        """Wait until the workers have nothing left to do; TimeoutError where they do not get on."""
        patiently(lambda: loop.nudge(study=self.study))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._jobs_live() and not self._stops.is_set():
            if time.monotonic() > deadline:
                raise TimeoutError("Background jobs do not end: are workers running? See the jobs' errors.")
            time.sleep(PAUSE_SECONDS)

    def label(self, *, until: int | None = None) -> None:
        """Let annotators answer until nothing is left for them, or until about `until` answers are given or owed."""
        self._run(self.crew.annotators, kind="label", until=until)

    def adjudicate(self) -> None:
        """Let adjudicators decide what waits for them."""
        self._run(self.crew.adjudicators, kind="adjudicate", until=None)

    def _run(self, people: list[Person], *, kind: str, until: int | None) -> None:
        with ThreadPoolExecutor(len(people)) as pool:
            futures = [pool.submit(self._live, person, kind, until) for person in people]
            for future in futures:
                # The first who fails ends the day for all.
                future.add_done_callback(lambda done: self.stop() if done.exception() else None)
        for future in futures:
            future.result()

    def _live(self, person: Person, kind: str, until: int | None) -> None:
        vain, outcome = 0, Outcome.PASSED
        try:
            while not self._stops.is_set() and self._wants_more(until):
                outcome = self._work_once(person, kind, again=outcome is Outcome.NOTHING)
                if outcome is Outcome.ANSWERED:
                    self._told()
                if outcome is not Outcome.NOTHING:
                    vain = 0
                    continue
                # Asked in vain once, a batch may have come since; twice, with nobody at work, none will.
                vain = vain + 1 if self._is_over(kind) else 0
                if vain == 2:
                    return
                time.sleep(PAUSE_SECONDS)
        finally:
            connection.close()

    def _wants_more(self, until: int | None) -> bool:
        if until is None:
            return True
        return self.answers + self._at_work + patiently(lambda: count_owed(self.study)) < until

    def _work_once(self, person: Person, kind: str, *, again: bool) -> Outcome:
        with self._lock:
            self._at_work += 1
            self._asking_again += again
        try:
            outcome = self._workplace.work_once(person, kind=kind)
        finally:
            with self._lock:
                self._at_work -= 1
                self._asking_again -= again
        with self._lock:
            self.answers += outcome is Outcome.ANSWERED
        return outcome

    def _is_over(self, kind: str) -> bool:
        """Whether nothing can come any more: nobody is at work and no job is under way."""
        if kind == "adjudicate":
            return True
        # On a slow machine somebody always asks: who asks again in vain is not at work, or nobody would ever go home.
        if self._at_work > self._asking_again or self._jobs_live():
            return False
        patiently(lambda: loop.nudge(study=self.study))
        return not self._jobs_live()

    def _jobs_live(self) -> bool:
        return patiently(Job.objects.filter(study=self.study, state__in=LIVE_JOBS).exists)
