"""`manage.py fetch_assets`: copy what the browser gets from the npm packages into static."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from project import assets


class Command(BaseCommand):
    help = "Copy the declared files of the npm packages, checked by their digests, into the static files. Repeatable."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            written = assets.fetch(packages=assets.packages_folder(), folder=settings.VENDOR)
        except assets.AssetError as error:
            raise CommandError(str(error)) from error
        if written:
            self.stdout.write(f"{len(written)} files of npm packages are in {settings.VENDOR}.")
