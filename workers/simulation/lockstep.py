"""The whole loop in one process and in virtual time: the same seed repeats exactly.

Decides who acts next and runs background jobs between two acts; refuses to know what is labelled.
"""

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from annotation import clock
from annotation.models import Study
from annotation.services import loop
from workers import base
from workers.simulation import work
from workers.simulation.crew import Crew, Person

START = datetime(2100, 1, 1, tzinfo=UTC)
"""Virtual time begins far ahead, so that no process on real time takes a lease of the simulation for expired."""

IDLE = timedelta(seconds=30)


class Lockstep:
    """Runs a study's people and jobs by a heap of virtual moments. Use within `clock.virtual(START)`."""

    def __init__(self, *, study: Study, crew: Crew, told: Callable[[], None] = lambda: None) -> None:
        self.study = study
        self.crew = crew
        self.answers = 0
        self._told = told

    def run_jobs(self) -> None:
        """Run what is due; each submit and each job asks for what is due next."""
        loop.nudge(study=self.study)
        base.run_ready(self.study)

    def label(self, *, until: int | None = None) -> None:
        """Let annotators answer until nothing is left for them, or until about `until` answers are given or owed."""
        self._run(self.crew.annotators, kind="label", until=until)

    def adjudicate(self) -> None:
        """Let adjudicators decide what waits for them."""
        self._run(self.crew.adjudicators, kind="adjudicate", until=None)

    def _run(self, people: list[Person], *, kind: str, until: int | None) -> None:
        self.run_jobs()
        held: dict[int, work.Task] = {}
        moments = [(clock.now() + timedelta(milliseconds=n), n) for n in range(len(people))]
        heapq.heapify(moments)
        idle: set[int] = set()
        while moments:
            moment, index = heapq.heappop(moments)
            clock.advance(max(moment - clock.now(), timedelta(0)))
            task = held.pop(index, None)
            if task is not None:
                is_answered = work.finish(people[index], task)
                self.answers += is_answered
                idle.clear()
                base.run_ready(self.study, is_nudged=is_answered)
                self._told()
            wants_more = until is None or self.answers + len(held) + work.count_owed(self.study) < until
            task = work.take(people[index], kind=kind) if wants_more else None
            if task is not None:
                held[index] = task
                heapq.heappush(moments, (clock.now() + timedelta(seconds=task.response.seconds), index))
            elif wants_more and (held or len(idle) < len(people)):
                # What others do meanwhile may open something; once all have asked in vain, nothing will.
                idle.add(index)
                heapq.heappush(moments, (clock.now() + IDLE, index))
