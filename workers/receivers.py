"""Turns a published event into a task sent by name. A failed send loses nothing: the sweep rings again."""

from typing import Any

from annotation import events
from workers import catalogue


def connect() -> None:
    """Listen to `annotation`'s events; called once when the app is ready."""
    events.job_ready.connect(ring, dispatch_uid="workers.ring")


def ring(*, job_id: int, kind: str, **_: Any) -> None:
    """Send the task that runs job `job_id`; gives up quickly when Redis is away."""
    catalogue.send(job_id, kind)
