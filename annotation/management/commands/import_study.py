"""`manage.py import_study FOLDER`: import a study folder, or say everything that is wrong with it."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.errors import ConcordError
from annotation.services import imports, studies


class Command(BaseCommand):
    help = (
        "Import a study folder (study.toml, slides.csv and optionally regions.csv, truth.csv, votes.csv). "
        "All problems are listed at once and nothing is half imported. Importing the same folder again adds "
        "only slides that are new."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="the study folder")
        parser.add_argument("--slug", default="", help="short name of the study (default: from its name)")
        parser.add_argument("--dry-run", action="store_true", help="check everything, write nothing")
        parser.add_argument("--open", action="store_true", help="open the study to annotators afterwards")

    def handle(self, *args: Any, **options: Any) -> None:
        told = self._tell if options["verbosity"] else imports.silent
        try:
            found = imports.import_folder(
                options["folder"], slug=options["slug"], dry_run=options["dry_run"], progress=told
            )
            if options["open"] and found.study is not None and not options["dry_run"]:
                studies.open_study(study=found.study)
        except ConcordError as error:
            raise CommandError(error.message) from error
        for note in found.notes:
            self.stderr.write(f"Note: {note}")
        self.stdout.write(_summary(found, is_dry=options["dry_run"]))

    def _tell(self, stage: str, done: int, total: int) -> None:
        """One line that counts up on a terminal; without one, a line for each tenth."""
        if sys.stderr.isatty():
            self.stderr.write(f"\r{stage}: {done:,} of {total:,}", ending="\n" if done == total else "")
        elif done == total or (total >= 10 and done % (total // 10) == 0):
            self.stderr.write(f"{stage}: {done:,} of {total:,}")


def _summary(found: imports.Imported, *, is_dry: bool) -> str:
    if is_dry:
        return "The folder holds; nothing was written (--dry-run)."
    assert found.study is not None
    audited, cases = imports.audit_share(found.study)
    state = "new" if found.is_new_study else "known"
    return (
        f"Study '{found.study.slug}' ({state}): {found.slides_new} new slides, {found.slides_known} known, "
        f"{found.regions_new:,} regions, {found.truth_new:,} known truths, {found.votes_new:,} votes; "
        f"{audited} of {cases} cases are in the audit sample."
    )
