"""`manage.py gold STUDY add|adopt|retire|list`: regions whose truth is known, to check and to qualify annotators."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.errors import ConcordError
from annotation.management import lookup
from annotation.models import Study
from annotation.selectors import gold as gold_reads
from annotation.services import gold
from annotation.studyfolder import read_gold


class Command(BaseCommand):
    help = (
        "Gold of a study: regions of known truth, asked unmarked at the study's gold_rate, or before the first real "
        "region (--qualification). Exit code 1 when nothing was done, with all problems."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="short name of the study")
        acts = parser.add_subparsers(dest="act", required=True)
        add = acts.add_parser("add", help="make the regions of a CSV (region,label) gold")
        add.add_argument("file", type=Path)
        add.add_argument("--qualification", action="store_true", help="for the entry test instead of the queue")
        adopt = acts.add_parser("adopt", help="make regions gold that adjudicators have settled")
        adopt.add_argument("count", type=int)
        retire = acts.add_parser("retire", help="ask about these regions as gold no more")
        retire.add_argument("regions", nargs="+", metavar="REGION")
        acts.add_parser("list", help="how much gold there is of each class")

    def handle(self, *args: Any, **options: Any) -> None:
        study = lookup.find_study(options["study"])
        try:
            self.stdout.write(getattr(self, f"_{options['act']}")(study, options))
        except ConcordError as error:
            for problem in error.details.get("problems", [])[1:]:  # type: ignore[index]
                self.stderr.write(str(problem))
            raise CommandError(error.message) from error

    def _add(self, study: Study, options: dict[str, Any]) -> str:
        try:
            pairs = read_gold(options["file"].read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{options['file']} cannot be read: {error}.") from error
        made = gold.add(study=study, regions_and_labels=pairs, is_qualification=options["qualification"])
        what = "in the entry test" if options["qualification"] else "gold"
        return f"{len(made):,} regions of '{study.slug}' are {what} now."

    def _adopt(self, study: Study, options: dict[str, Any]) -> str:
        made = gold.adopt_adjudicated(study=study, count=options["count"])
        return f"{len(made):,} regions that adjudicators have settled are gold now."

    def _retire(self, study: Study, options: dict[str, Any]) -> str:
        return f"{gold.retire(study=study, regions=options['regions']):,} regions are gold no more."

    def _list(self, study: Study, options: dict[str, Any]) -> str:
        checks = gold_reads.count_by_class(study, is_qualification=False)
        tests = gold_reads.count_by_class(study, is_qualification=True)
        lines = [f"{code}: {checks[code]:,} in the queue, {tests[code]:,} in the entry test" for code in checks | tests]
        return "\n".join(sorted(lines)) or "There is no gold."
