"""`manage.py verify_release DIR`: check a release with nothing but its folder."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.releasing.verify import verify


class Command(BaseCommand):
    help = (
        "Check a release folder: every file, row and digest, and every label against the ledger in it. Uses no "
        "database. Exit code 1 when something does not fit."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="the release's folder")
        parser.add_argument("--digest", help="the manifest's digest as known from elsewhere; proof against a new fake")

    def handle(self, *args: Any, **options: Any) -> None:
        checked = verify(options["folder"].resolve(), digest=options["digest"])
        for problem in checked.problems:
            self.stderr.write(problem)
        if not checked.ok:
            raise CommandError(f"{len(checked.problems)} problems: the release does not hold.")
        self.stdout.write(f"The release holds: {checked.regions:,} regions, manifest {checked.digest}.")
