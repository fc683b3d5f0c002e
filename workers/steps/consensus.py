"""Refit the annotators' confusion matrices, so that submits settle regions with what is known by now.

Decides nothing: `annotation.services.consensus` knows which answers enter. Refuses to write twice.
"""

from typing import Any

from annotation.models import Job
from annotation.services import consensus
from workers.progress import Progress


def run(job: Job, report: Progress) -> dict[str, Any]:
    """Store the next reliability snapshot."""
    # In one transaction with the end of the job: a second attempt never writes a second snapshot.
    with report.fenced():
        snapshot = consensus.refit(study=job.study)
        result = {"snapshot": snapshot.number, "answers": snapshot.answers} if snapshot else {"answers": 0}
        report.finish(result)
    return result
