"""Every task: its name, its queue, its limits and the step that does the work; and how one is sent.

Decides where work runs and how long it may take; refuses to know what the work is. A message carries the id
of a job row and nothing else.
"""

import logging
import os
from dataclasses import dataclass

from celery import current_app
from kombu import Connection
from kombu.exceptions import KombuError
from kombu.pools import producers
from redis.exceptions import RedisError

from annotation.states import JobKind

logger = logging.getLogger(__name__)

NORMAL, FIRST = 6, 0
"""Priorities of messages in Redis: the smaller number is read first. Work taken from the dead goes first."""

SEND_SECONDS = 0.4


@dataclass(frozen=True, slots=True)
class Entry:
    """One kind of job. `step` is a module of `workers.steps` with `run(job, report)`; limits are seconds."""

    kind: JobKind
    step: str
    queue: str
    soft_seconds: int
    hard_seconds: int
    priority: int = NORMAL

    @property
    def task(self) -> str:
        """The name under which the task travels."""
        return f"concord.{self.kind.value}"


QUEUES = ("io", "cpu", "train", "encoder")

ENTRIES: dict[JobKind, Entry] = {
    entry.kind: entry
    for entry in (
        Entry(JobKind.TILE_SLIDE, "tiling", "io", 1500, 1600),
        Entry(JobKind.EMBED_SLIDE, "embedding", "io", 1500, 1600),
        # People wait for the next batch; nobody waits for the score of one slide among hundreds.
        Entry(JobKind.SELECT_BATCH, "selection", "cpu", 600, 660, priority=FIRST),
        Entry(JobKind.REFIT_CONSENSUS, "consensus", "cpu", 600, 660),
        Entry(JobKind.TRAIN_MODEL, "training", "train", 1500, 1600),
        # In a queue of its own: the heads are fitted meanwhile. What the limit cuts off goes on from its checkpoint.
        Entry(JobKind.TRAIN_ENCODER, "encoder", "encoder", 1500, 1600),
        Entry(JobKind.SCORE_SLIDE, "scoring", "cpu", 600, 660),
        # Beside training, for which nobody waits by the second: it must not hold up scores and batches.
        Entry(JobKind.WATCH_DOMAINS, "domains", "train", 600, 660),
        Entry(JobKind.CONSISTENCY_PASS, "consistency", "cpu", 1500, 1600),
        Entry(JobKind.ANCHOR_LEDGER, "anchoring", "io", 100, 120),
    )
}

_connections: dict[int, Connection] = {}


def send(job_id: int, kind: str, *, priority: int | None = None) -> bool:
    """Send the message that wakes a worker for a job; False, at once, when Redis is away.

    `priority` None: that of its kind.
    """
    entry = ENTRIES[JobKind(kind)]
    try:
        with producers[_connection()].acquire(block=True, timeout=SEND_SECONDS) as producer:
            current_app.send_task(
                entry.task,
                args=[job_id],
                queue=entry.queue,
                priority=entry.priority if priority is None else priority,
                producer=producer,
                retry=False,
            )
    except (OSError, KombuError, RedisError) as error:
        logger.warning("Redis does not answer, job %s waits for the sweep: %s", job_id, error)
        return False
    return True


def count_waiting(queue: str) -> int | None:
    """How many messages wait in a queue; None when Redis is away."""
    try:
        with producers[_connection()].acquire(block=True, timeout=SEND_SECONDS) as producer:
            return int(producer.channel.queue_declare(queue=queue).message_count)
    except (OSError, KombuError, RedisError) as error:
        logger.warning("Redis does not answer: %s", error)
        return None


def _connection() -> Connection:
    """This process's connection for sending: unlike a worker's it never waits for a broker that is away."""
    if os.getpid() not in _connections:
        options = {
            **current_app.conf.broker_transport_options,
            "socket_timeout": SEND_SECONDS,
            "socket_connect_timeout": SEND_SECONDS,
            "max_retries": 0,
        }
        _connections[os.getpid()] = current_app.connection_for_write(transport_options=options)
    return _connections[os.getpid()]
