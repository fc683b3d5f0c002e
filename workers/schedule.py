"""What beat sends: a tick for all running studies, and a stamp for each queue.

Decides how often; refuses to be relied on: both are idempotent, so two beats or none harm nothing.
"""

import logging
import os
import socket
from typing import Any

from django.db.models import Exists, OuterRef

from annotation import clock
from annotation.errors import ConcordError
from annotation.models import Job, Study, WorkerStamp
from annotation.services import acceptance, anchoring, jobs, loop, modelling, networks, picks
from annotation.states import StudyState
from workers import catalogue

logger = logging.getLogger(__name__)

TICK, STAMP = "concord.tick", "concord.stamp"
TICK_SECONDS, STAMP_SECONDS = 2.0, 5.0


def build() -> dict[str, dict[str, Any]]:
    """Beat's entries. A message that has waited for longer than its period is worth nothing and expires."""
    entries: dict[str, dict[str, Any]] = {
        "tick": {
            "task": TICK,
            "schedule": TICK_SECONDS,
            "options": {"queue": "io", "expires": 2 * TICK_SECONDS, "priority": catalogue.FIRST},
        }
    }
    for queue in catalogue.QUEUES:
        entries[f"stamp-{queue}"] = {
            "task": STAMP,
            "schedule": STAMP_SECONDS,
            "args": [queue],
            "options": {"queue": queue, "expires": 2 * STAMP_SECONDS, "priority": catalogue.FIRST},
        }
    return entries


def tick() -> None:
    """Ask each open study what is due. Those of a lockstep simulation are left to the simulation."""
    inline = Job.objects.filter(study=OuterRef("pk"), worker=jobs.INLINE)
    open_studies = Study.objects.filter(state__in=[StudyState.RUNNING, StudyState.DRAINING])
    for study in open_studies.filter(~Exists(inline)).order_by("pk"):
        try:
            acceptance.close_stuck(study=study)
            loop.nudge(study=study)
            modelling.enqueue_watch(study=study)
            networks.enqueue_due(study=study)
            if study.state == StudyState.DRAINING:
                # Nobody joins a study that ends: what no annotator is left for is an adjudicator's.
                picks.escalate_stuck(study=study)
        except ConcordError as error:
            logger.warning("Study %s: %s", study.slug, error.message)
    anchoring.enqueue_due()


def stamp(queue: str) -> None:
    """Prove that a worker reads this queue."""
    WorkerStamp.objects.update_or_create(
        queue=queue, defaults={"seen_at": clock.now(), "worker": f"{socket.gethostname()}:{os.getpid()}"}
    )
