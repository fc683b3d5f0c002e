"""The repairer: expires leases, takes jobs from the dead, rings bells that nobody heard.

Decides what is repaired and how often; refuses to be a task, as the repairer must not need what it repairs.
Everything it does is safe to do twice and at once, so several sweeps harm nothing.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import Error, connection

from annotation.models import Job
from annotation.services import jobs, queue
from annotation.states import JobKind
from workers import catalogue

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Swept:
    """What one round has done."""

    expired: int = 0
    reclaimed: int = 0
    rung: int = 0

    def __bool__(self) -> bool:
        return bool(self.expired or self.reclaimed or self.rung)


def sweep_once() -> Swept:
    """One round. Redis may be away: what can't be rung now is rung in a later round."""
    expired = queue.expire()
    reclaimed = jobs.reclaim_dead()
    rung = _ring(reclaimed, priority=catalogue.FIRST) + _ring_unheard()
    return Swept(expired=expired, reclaimed=len(reclaimed), rung=rung)


def sweep_forever(*, should_stop: Callable[[], bool]) -> None:
    """Rounds until told to stop. Without the database it tries again each round with a fresh connection."""
    while not should_stop():
        try:
            swept = sweep_once()
            if swept:
                logger.info(
                    "%d leases expired, %d jobs taken from the dead, %d bells rung",
                    swept.expired,
                    swept.reclaimed,
                    swept.rung,
                )
        except Error as error:
            logger.warning("The database does not answer, trying again: %s", error)
            connection.close()
        except Exception:
            # A sweep that ends repairs nothing; the next round may find better rows.
            logger.exception("A round of the sweep failed")
        time.sleep(PAUSE_SECONDS)


def _ring_unheard() -> int:
    """Ring for quiet jobs, but only on queues that are empty: else their messages may just be waiting."""
    by_queue: dict[str, list[Job]] = {}
    for job in jobs.unrung():
        by_queue.setdefault(catalogue.ENTRIES[JobKind(job.kind)].queue, []).append(job)
    return sum(_ring(waiting) for queue_name, waiting in by_queue.items() if catalogue.count_waiting(queue_name) == 0)


def _ring(waiting: list[Job], *, priority: int | None = None) -> int:
    rung = []
    for job in waiting:
        if not catalogue.send(job.pk, job.kind, priority=priority):
            break
        rung.append(job.pk)
    jobs.mark_rung(job_ids=rung)
    return len(rung)
