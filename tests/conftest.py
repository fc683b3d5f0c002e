"""What every test shares: real engines, a database prepared as in production, and the sample data's folder."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections

from project import browser as chromium
from tests import database

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """A database as in production: the owner's role has made the tables, the application's role connects."""
    from project import embedded

    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        embedded.ensure()
    with (
        django_db_blocker.unblock(),  # type: ignore[attr-defined]
        database.made(),
        django_db_blocker.block(),  # type: ignore[attr-defined]
    ):
        yield
    shutil.rmtree(settings.STORE, ignore_errors=True)


@pytest.fixture
def swept(django_db_setup: None) -> None:
    """Tables without the rows of tests before: for a test of so many steps that reading past them would take hours."""
    database.sweep()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Browser tests that could not run are said at the end, not among the dots."""
    reports = terminalreporter.stats.get("skipped", [])
    silent = [report for report in reports if chromium.MISSING in str(report.longrepr)]
    if silent:
        terminalreporter.write_line(f"{len(silent)} BROWSER TESTS DID NOT RUN. {chromium.MISSING}", red=True, bold=True)


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """Real commits, seen by other connections and threads; every row is taken away afterwards, as the owner."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        yield
        connections["default"].close()
        _empty()
        connections["owner"].close()


def _empty() -> None:
    owner = connections["owner"]
    kept = {"django_migrations", "django_content_type", "auth_permission"}
    with owner.cursor() as cursor:
        tables = [name for name in owner.introspection.table_names(cursor) if name not in kept]
        protected = [name for name in tables if name.startswith("annotation_")]
        for name in protected:
            cursor.execute(f'ALTER TABLE "{name}" DISABLE TRIGGER USER')
        cursor.execute("TRUNCATE " + ", ".join(f'"{name}"' for name in tables) + " RESTART IDENTITY CASCADE")
        for name in protected:
            cursor.execute(f'ALTER TABLE "{name}" ENABLE TRIGGER USER')


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with sample data (`CONCORD_SHARED`, default `../shared`); skips where there is none."""
    folder = Path(os.environ.get("CONCORD_SHARED", REPOSITORY.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"No sample data in {folder}: set CONCORD_SHARED to the folder that has data/.")
    return folder
