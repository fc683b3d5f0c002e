"""`manage.py consistency_pass STUDY`: run all consistency rules over the truth of a study."""

import os
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.errors import ConcordError
from annotation.management import lookup
from annotation.models import ConsistencyPass, Finding, Job
from annotation.services import passes, releases
from annotation.states import LIVE_JOBS, JobKind, JobState, PassState
from workers import base

_LOOK_SECONDS = 0.5


class Command(BaseCommand):
    help = (
        "Start a consistency pass at the head of the ledger and show its findings. Exit code 1 while blockers are open."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="short name of the study")
        parser.add_argument("--as", dest="pseudonym", help="pseudonym of the manager who starts it, such as A1")
        parser.add_argument("--background", action="store_true", help="leave the work to the workers and return")
        parser.add_argument("--limit", type=int, default=50, help="findings to show (default 50)")

    def handle(self, *args: Any, **options: Any) -> None:
        study = lookup.find_study(options["study"])
        try:
            row = passes.start(study=study, member=lookup.find_member(study, options["pseudonym"]))
            if options["background"]:
                self.stdout.write(f"Pass {row.number} of '{study.slug}' waits for a worker.")
                return
            _run(row)
        except ConcordError as error:
            raise CommandError(error.message) from error
        self._show(ConsistencyPass.objects.get(pk=row.pk), limit=options["limit"])

    def _show(self, row: ConsistencyPass, *, limit: int) -> None:
        if row.state != PassState.DONE:
            raise CommandError(f"Pass {row.number} is {row.state}: see its job for the reason.")
        findings = Finding.objects.filter(consistency_pass=row).order_by("severity", "rule", "id")
        for finding in findings[:limit]:
            fix = f" Fix: {finding.fix}." if finding.fix else ""
            self.stdout.write(f"{finding.severity} {finding.rule} [{finding.state}] {finding.message}{fix}")
        total = findings.count()
        if total > limit:
            self.stdout.write(f"... and {total - limit} more (--limit).")
        open_ones = len(releases.blockers(row))
        self.stdout.write(
            f"Pass {row.number} of '{row.study.slug}' at ledger position {row.ledger_position}: "
            f"{row.numbers['released']:,} regions, {total} findings, {open_ones} open blockers."
        )
        if open_ones:
            raise CommandError("The pass is not clean: no release can be cut from it yet.")


def _run(row: ConsistencyPass) -> None:
    """Run the pass's job here, or wait for the worker that was faster."""
    job = Job.objects.get(study=row.study, kind=JobKind.CONSISTENCY_PASS, key=str(row.number))
    base.run_job(job.pk, worker=f"consistency_pass:{os.getpid()}")
    job.refresh_from_db()
    while job.state in LIVE_JOBS:
        time.sleep(_LOOK_SECONDS)
        job.refresh_from_db()
    if job.state == JobState.FAILED:
        raise CommandError(f"Pass {row.number} failed: {job.error}")
