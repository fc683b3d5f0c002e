"""`manage.py release STUDY`: cut the release of a clean consistency pass."""

from argparse import ArgumentParser
from typing import Any, cast

from django.core.management.base import BaseCommand, CommandError

from annotation.errors import ConcordError, GateClosed
from annotation.management import lookup
from annotation.models import ConsistencyPass
from annotation.services import releases
from annotation.states import PassState


class Command(BaseCommand):
    help = (
        "Cut the release of a study's newest finished consistency pass, or of --pass N. Refused, with the list, while "
        "a blocker is open. Cutting the same pass again gives the same release."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="short name of the study")
        parser.add_argument("--pass", dest="number", type=int, help="number of the pass (default: the newest finished)")
        parser.add_argument("--as", dest="pseudonym", help="pseudonym of the manager who cuts it, such as A1")

    def handle(self, *args: Any, **options: Any) -> None:
        study = lookup.find_study(options["study"])
        passes = ConsistencyPass.objects.filter(study=study)
        if options["number"] is None:
            row = passes.filter(state=PassState.DONE).order_by("-number").first()
        else:
            row = passes.filter(number=options["number"]).first()
        if row is None:
            raise CommandError("There is no such consistency pass: run `manage.py consistency_pass` first.")
        member = lookup.find_member(study, options["pseudonym"])
        try:
            release = releases.freeze(study=study, consistency_pass=row, member=member)
        except GateClosed as closed:
            for one in cast(list[dict[str, Any]], closed.details.get("blockers", [])):
                self.stderr.write(f"{one['rule']} (finding {one['id']}): {one['message']}")
            raise CommandError(f"Pass {row.number} is not clean, so nothing was released. {closed.message}") from closed
        except ConcordError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"Release {release.number} of '{study.slug}' from pass {row.number}: {release.items_count:,} regions, "
            f"manifest {release.manifest_digest}\n{releases.place(release)}"
        )
        if card := row.numbers.get("model"):
            self.stdout.write(f"{'With' if card['accepted'] else 'Without'} a model. {card['reason']}")
