"""`manage.py export RELEASE OUT`: copy a release to a folder and check the copy."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.errors import ConcordError
from annotation.management import lookup
from annotation.releasing import files
from annotation.services import releases


class Command(BaseCommand):
    help = "Copy a release to a new folder and verify the copy against the digest in the database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("release", help="STUDY:NUMBER, or 8 or more digits of the manifest's digest")
        parser.add_argument("out", type=Path, help="the folder to write; it must not exist yet")

    def handle(self, *args: Any, **options: Any) -> None:
        release = lookup.find_release(options["release"])
        out: Path = options["out"]
        try:
            checked = releases.export(release=release, out=out)
        except ConcordError as error:
            raise CommandError(error.message) from error
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}. Name a folder you may write to.") from error
        for problem in checked.problems:
            self.stderr.write(problem)
        if not checked.ok:
            raise CommandError(f"The copy in {out} does not hold; cut the release again to restore its folder.")
        size = sum(path.stat().st_size for path in files.listed(out).values())
        self.stdout.write(
            f"Wrote {checked.regions:,} regions ({size:,} bytes) to {out}; verified, manifest {checked.digest}."
        )
