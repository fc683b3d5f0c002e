"""`manage.py erase_person STUDY USER`: erase a person's name and free text; answers and the ledger stay."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.errors import ConcordError
from annotation.management import lookup
from annotation.models import Membership
from annotation.services import erasure


class Command(BaseCommand):
    help = (
        "Erase a person from a study, or from all: comments, drafts, reasons of skips; and name, e-mail and user name "
        "where no other study needs the account. Answers stay under the pseudonym and the ledger stays valid. Reasons "
        "of decisions are part of the history and stay. Backups made before still hold what was erased."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", nargs="?", help="short name of the study")
        parser.add_argument("person", help="user name, or the pseudonym in the study")
        parser.add_argument("--all", action="store_true", help="from every study the user is or was in")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        found = self._find(options)
        names = ", ".join(f"{one.pseudonym} of '{one.study.slug}'" for one in found)
        if not options["yes"] and input(f"Erase {names}? It can't be taken back. Type 'erase': ") != "erase":
            raise CommandError("Nothing was erased.")
        try:
            done = erasure.erase_everywhere(memberships=found)
        except ConcordError as error:
            raise CommandError(f"Nothing was erased. {error.message}") from error
        for one in done:
            self.stdout.write(
                f"{one.pseudonym}: {one.comments} comments, {one.drafts} drafts, {one.skips} reasons of skips."
            )
        closed = any(one.account for one in done)
        self.stdout.write("The account is nobody's now." if closed else "The account stays: another study needs it.")

    def _find(self, options: dict[str, Any]) -> list[Membership]:
        rows = Membership.objects.select_related("study", "user").order_by("study__slug")
        if options["all"] == bool(options["study"]):
            raise CommandError("Name a study, or give --all.")
        if options["all"]:
            found = list(rows.filter(user__username=options["person"]))
        else:
            own = rows.filter(study=lookup.find_study(options["study"]))
            found = list(own.filter(user__username=options["person"]) or own.filter(pseudonym=options["person"]))
        if not found:
            raise CommandError(f"'{options['person']}' is in no such study. Give the user name, or the pseudonym.")
        return found
