"""`manage.py prepare_database`: migrate as the owner, and let the application's role do only what it may."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connections

from annotation.management import grants


class Command(BaseCommand):
    help = "Bring the database up to date as its owner, and grant the application's role its rights. Repeatable."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", database="owner", interactive=False, verbosity=options["verbosity"])
        app_role = settings.DATABASES["default"]["USER"]
        owner_role = settings.DATABASES["owner"]["USER"]
        if app_role == owner_role:
            self.stderr.write(
                "The application connects as the owner of its tables: the triggers alone protect the history. "
                "Set DATABASE_OWNER_URL to another role than DATABASE_URL."
            )
            return
        grants.grant(connections["owner"], role=app_role)
        self.stdout.write(f"The database is up to date; {app_role} may append to the history, not change it.")
