"""`manage.py anchor_ledger STUDY`: carry the head of a study's ledger outside."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation import chain
from annotation.errors import ConcordError
from annotation.management import lookup
from annotation.services import anchoring


class Command(BaseCommand):
    help = (
        "Anchor a study's ledger: one line with position and digest of its last entry, printed, appended to a file, "
        "sent by mail. Whoever holds the line can prove later that nothing before it was rewritten: keep it where the "
        "owner of the database can't reach it. Check it with verify_ledger, or offline with export_ledger and chain.py."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="short name of the study")
        parser.add_argument(
            "--print", action="store_true", dest="printed", help="print the line (so does naming no place)"
        )
        parser.add_argument("--file", type=Path, metavar="FILE", help="append the line to FILE")
        parser.add_argument("--mail", nargs="+", default=[], metavar="ADDRESS", help="send the line to these addresses")

    def handle(self, *args: Any, **options: Any) -> None:
        study = lookup.find_study(options["study"])
        try:
            anchor = anchoring.take(study=study)
            if options["file"]:
                anchoring.to_file(study=study, anchor=anchor, path=options["file"])
                self.stderr.write(f"Entry {anchor.position} anchored in {options['file']}.")
            if options["printed"] or not (options["file"] or options["mail"]):
                anchoring.note(study=study, anchor=anchor, place="printed")
                self.stdout.write(chain.to_anchor_line(anchor))
            if options["mail"]:
                anchoring.by_mail(study=study, anchor=anchor, addresses=options["mail"])
                self.stderr.write(f"Entry {anchor.position} anchored by mail to {', '.join(options['mail'])}.")
        except ConcordError as error:
            raise CommandError(error.message) from error
