"""Run a consistency pass: all rules over the truth at its ledger position.

Decides nothing: `annotation.services.passes` does. Refuses to leave a pass running whose job was given up.
"""

from typing import Any

from annotation.errors import ConcordError
from annotation.models import ConsistencyPass, Job
from annotation.services import passes
from workers.progress import Progress


def run(job: Job, report: Progress) -> dict[str, Any]:
    """Execute the pass whose number the job's payload names; a finished one is left as it is."""
    row = ConsistencyPass.objects.get(study=job.study_id, number=job.payload["pass"])
    report(0, 1)
    try:
        done = passes.execute(row)
    except Exception as error:
        if isinstance(error, ConcordError) or job.attempt >= job.max_attempts:
            passes.fail(consistency_pass=row)
        raise
    report(1, 1)
    return {"pass": done.number, "items": done.numbers["items"], "findings": done.numbers["findings"]}
