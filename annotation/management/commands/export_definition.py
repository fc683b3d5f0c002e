"""`manage.py export_definition STUDY [FILE]`: a study as a study.toml, to start another one from."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.management.lookup import find_study
from annotation.selectors import setup
from annotation.studyfolder import write_definition


class Command(BaseCommand):
    help = (
        "Write everything that defines a study (name, task, domains, region, policy, classes, guideline, checklist, "
        "publication) as a study.toml. No people and no data are in it. `import_definition` starts a new study from "
        "it; put into a folder beside a slides.csv, it is what `import_study` reads."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="short name of the study")
        parser.add_argument("file", type=Path, nargs="?", help="a new file (default: standard output)")

    def handle(self, *args: Any, **options: Any) -> None:
        text = write_definition(setup.definition(find_study(options["study"])))
        if options["file"] is None:
            self.stdout.write(text, ending="")
            return
        try:
            with options["file"].open("x", encoding="utf-8") as target:
                target.write(text)
        except OSError as error:
            raise CommandError(f"{options['file']} can't be written: {error.strerror}. Name a new file.") from error
        self.stdout.write(f"Wrote {options['file']}.")
