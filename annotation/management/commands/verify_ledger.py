"""`manage.py verify_ledger STUDY`: check the history of a study, and carry its head outside."""

import json
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from annotation.chain import Anchor
from annotation.management import lookup
from annotation.services import ledger


class Command(BaseCommand):
    help = (
        "Check a study's ledger: the chain, every answer and revision against its entry, and an anchor that was "
        "carried outside. Names the first row that does not fit. Exit code 1 when something does not fit."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="short name of the study")
        anchor = parser.add_mutually_exclusive_group()
        anchor.add_argument("--anchor", metavar="POSITION:DIGEST", help="a head noted earlier")
        anchor.add_argument("--anchor-file", type=Path, help="a file that --write-anchor wrote")
        parser.add_argument("--write-anchor", type=Path, metavar="FILE", help="note the head in FILE if all fits")

    def handle(self, *args: Any, **options: Any) -> None:
        study = lookup.find_study(options["study"])
        anchors = []
        if options["anchor"]:
            anchors = [_parse(options["anchor"])]
        elif options["anchor_file"]:
            anchors = [_read(options["anchor_file"])]
        if options["write_anchor"] and options["write_anchor"].exists():
            # The old anchor in that file is evidence: it has to hold before it is replaced.
            anchors.append(_read(options["write_anchor"]))
        found = ledger.verify(study, anchors=anchors)
        for problem in found.problems:
            self.stderr.write(problem)
        if not found.ok:
            raise CommandError(f"{len(found.problems)} problems: the ledger of '{study.slug}' does not hold.")
        self.stdout.write(f"The ledger of '{study.slug}' holds: {found.entries:,} entries, head {found.head}.")
        if not anchors:
            self.stdout.write("Without an anchor from outside, a history that was rewritten as a whole would not show.")
        if options["write_anchor"]:
            # What was appended during the check is anchored too, and checked the next time.
            with transaction.atomic():
                row = ledger.anchor(study=study, place=str(options["write_anchor"])[:200])
                _write(options["write_anchor"], Anchor(row.position, row.digest))
            self.stdout.write(
                f"Anchor {row.position}:{row.digest} written to {options['write_anchor']}. Keep it apart."
            )


def _parse(text: str) -> Anchor:
    position, colon, digest = text.strip().partition(":")
    is_hex = len(digest) == 64 and all(character in "0123456789abcdef" for character in digest)
    if not (colon and position.isdecimal() and int(position) > 0 and is_hex):
        raise CommandError(f"'{text}' is no anchor: it looks like 120:3f9a..., a position and 64 hex digits.")
    return Anchor(int(position), digest)


def _read(path: Path) -> Anchor:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return _parse(f"{values['position']}:{values['digest']}")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise CommandError(f"{path} is no anchor file: expected JSON with position and digest.") from error


def _write(path: Path, anchor: Anchor) -> None:
    text = json.dumps({"position": anchor.position, "digest": anchor.digest}) + "\n"
    try:
        with path.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
