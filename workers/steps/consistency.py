"""Run a consistency pass: all rules over the truth at its ledger position.

Decides nothing: `annotation.services.passes` does. Refuses to leave a pass running whose job was given up.
"""

from functools import partial
from typing import Any

from annotation.errors import ConcordError
from annotation.models import ConsistencyPass, Job
from annotation.services import passes
from workers import evidence
from workers.progress import Progress


def run(job: Job, report: Progress) -> dict[str, Any]:
    """Execute the pass whose number the job's payload names; a finished one is left as it is."""
    row = ConsistencyPass.objects.get(study=job.study_id, number=job.payload["pass"])
    report(0, 1)
    try:
        done = passes.execute(row, gather=partial(evidence.gather, study=row.study, report=report))
    except Exception as error:
        if isinstance(error, ConcordError) or job.attempt >= job.max_attempts:
            passes.fail(consistency_pass=row)
        raise
    report(report.total or 1, report.total or 1)
    return {"pass": done.number, "items": done.numbers["items"], "findings": done.numbers["findings"]}
