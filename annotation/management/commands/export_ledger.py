"""`manage.py export_ledger STUDY FILE`: the whole chain as a file, to be checked without this program."""

import os
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.management import lookup
from annotation.models import Study
from annotation.services import ledger

_SAID_EVERY = 50_000


class Command(BaseCommand):
    help = (
        "Write a study's ledger to a file: a header, then one line an entry. `python annotation/chain.py FILE ANCHORS` "
        "checks it anywhere: that one file needs nothing but Python. The export holds answers, pseudonyms and reasons, "
        "no names and no comments."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="short name of the study")
        parser.add_argument("file", help="where to; '-' writes to the standard output")
        parser.add_argument("--replace", action="store_true", help="replace FILE where it exists")

    def handle(self, *args: Any, **options: Any) -> None:
        study = lookup.find_study(options["study"])
        if options["file"] == "-":
            for line in self._lines(study):
                self.stdout.write(line)
            return
        path = Path(options["file"])
        if path.exists() and not options["replace"]:
            raise CommandError(f"{path} exists: an earlier export is evidence. Name another file, or give --replace.")
        try:
            self._write(path, self._lines(study))
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
        self.stderr.write(f"The ledger of '{study.slug}' is in {path}.")

    def _lines(self, study: Study) -> Iterator[str]:
        for number, line in enumerate(ledger.export(study)):
            yield line
            if number and not number % _SAID_EVERY:
                self.stderr.write(f"{number:,} entries")

    def _write(self, path: Path, lines: Iterator[str]) -> None:
        """Aside, flushed, and renamed: an export is there whole or not at all."""
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
                stream.writelines(f"{line}\n" for line in lines)
                stream.flush()
                os.fsync(stream.fileno())
            Path(aside).replace(path)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise
