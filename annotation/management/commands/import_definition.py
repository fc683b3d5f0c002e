"""`manage.py import_definition FILE --manager NAME`: begin a study from a study.toml; its slides come later."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils.text import slugify

from annotation.errors import ConcordError
from annotation.services import setup
from annotation.studyfolder import read_text


class Command(BaseCommand):
    help = "Begin a study, as a draft, from a study.toml. Its manager goes on with the set-up in the browser."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a study.toml")
        parser.add_argument("--manager", required=True, help="user name of the one who manages the study")
        parser.add_argument("--slug", default="", help="short name of the study (default: from its name)")

    def handle(self, *args: Any, **options: Any) -> None:
        user = get_user_model()._default_manager.filter(username=options["manager"]).first()
        if user is None:
            raise CommandError(f"There is no account '{options['manager']}'. `manage.py createsuperuser` makes one.")
        try:
            text = options["file"].read_text(encoding="utf-8-sig")
            slug = options["slug"] or slugify(read_text(text).name)[:60].strip("-") or "study"
            member = setup.begin(user=user, slug=slug, name="", definition=text)
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{options['file']} can't be read as text: {error}.") from error
        except ConcordError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Study '{member.study.slug}' is a draft, managed by {options['manager']}.")
