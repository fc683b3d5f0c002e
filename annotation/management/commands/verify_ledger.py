"""`manage.py verify_ledger STUDY`: check the history of a study, and carry its head outside."""

import json
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from annotation import chain
from annotation.chain import Anchor
from annotation.management import lookup
from annotation.models import Study
from annotation.services import anchoring, ledger


class Command(BaseCommand):
    help = (
        "Check a study's ledger: the chain, every answer and revision against its entry, and an anchor that was "
        "carried outside. Names the first row that does not fit. Exit code 1 when something does not fit."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="short name of the study")
        parser.add_argument(
            "--anchor", action="append", default=[], metavar="POSITION:DIGEST", help="a head noted earlier"
        )
        parser.add_argument(
            "--anchor-file", type=Path, action="append", default=[],
            help="what anchor_ledger, --write-anchor or a mail left in a file, or an earlier export",
        )  # fmt: skip
        parser.add_argument("--write-anchor", type=Path, metavar="FILE", help="note the head in FILE if all fits")

    def handle(self, *args: Any, **options: Any) -> None:
        study = lookup.find_study(options["study"])
        given = options["anchor"]
        anchors = _parse([given] if isinstance(given, str) else given, where="--anchor")
        files = options["anchor_file"]
        for path in [files] if isinstance(files, Path) else files:
            anchors += _read(path)
        anchors = [anchor for anchor in anchors if anchor.study in ("", study.slug)]
        if options["write_anchor"] and options["write_anchor"].exists():
            # The old anchor in that file is evidence: it has to hold before it is replaced.
            anchors += _read(options["write_anchor"])
        found = ledger.verify(study, anchors=anchors)
        for problem in found.problems:
            self.stderr.write(problem)
        if not found.ok:
            raise CommandError(f"{len(found.problems)} problems: the ledger of '{study.slug}' does not hold.")
        self.stdout.write(f"The ledger of '{study.slug}' holds: {found.entries:,} entries, head {found.head}.")
        if not anchors:
            self.stdout.write("Without an anchor from outside, a history that was rewritten as a whole would not show.")
        if options["write_anchor"]:
            self._write_anchor(study, options["write_anchor"])

    def _write_anchor(self, study: Study, path: Path) -> None:
        """What was appended during the check is anchored too, and checked the next time."""
        with transaction.atomic():
            head = ledger.head(study)
            anchoring.note(study=study, anchor=head, place=str(path))
            _write(path, head)
        self.stdout.write(f"Anchor {head.position}:{head.digest} written to {path}. Keep it apart.")


def _parse(lines: list[str], *, where: str) -> list[Anchor]:
    try:
        found = list(chain.read_anchors(lines))
    except ValueError as error:
        raise CommandError(f"{where}: {error}") from error
    if lines and not found:
        raise CommandError(f"{where} holds no anchor: one looks like 120:3f9a..., a position and 64 hex digits.")
    return found


def _read(path: Path) -> list[Anchor]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CommandError(f"{path} is no text.") from error
    return _parse(lines or [""], where=str(path))


def _write(path: Path, anchor: Anchor) -> None:
    text = json.dumps({"position": anchor.position, "digest": anchor.digest}) + "\n"
    try:
        with path.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
