"""Carry the head of a study's ledger to the places that the settings name.

Decides nothing: `annotation.services.anchoring` does. A place that is away fails the job, where managers see it.
"""

from typing import Any

from annotation.models import Job
from annotation.services import anchoring
from workers.progress import Progress


def run(job: Job, report: Progress) -> dict[str, Any]:
    """Anchor the study's ledger; nothing where another attempt has done so already."""
    if not anchoring.is_due(job.study):
        return {"places": []}
    return {"places": [row.place for row in anchoring.carry(study=job.study)]}
