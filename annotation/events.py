"""What happened, told after commit. `annotation` publishes; `workers` listens and rings the bell of a job.

Decides when listeners hear; refuses to know who they are. A lost event loses nothing: the row waits for the sweep.
"""

from django.db import transaction
from django.dispatch import Signal

job_ready = Signal()
"""A job row waits for a worker: `job_id`, `kind`."""


def publish_job(*, job_id: int, kind: str) -> None:
    """Tell listeners about a ready job once the current transaction has committed."""
    transaction.on_commit(lambda: job_ready.send_robust(sender=None, job_id=job_id, kind=kind))
