"""What every test shares: real engines, a database prepared as in production, and the sample data's folder."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from project import browser as chromium

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """A test database owned by the owner's role; the application's role connects as it does in production."""
    from annotation.management import grants
    from project import embedded

    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        embedded.ensure()
    # Two test runs at once keep apart; what a killed run left behind is dropped by the next one.
    name = f"test_{os.getpid()}"
    owner = connections["owner"]
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        parameters = owner.get_connection_params()
        with psycopg.connect(**_plain(parameters), autocommit=True) as server:
            _drop_orphans(server)
            server.execute(f'CREATE DATABASE "{name}"')
        for alias in ("default", "owner"):
            connections[alias].close()
            connections[alias].settings_dict["NAME"] = name
            settings.DATABASES[alias]["NAME"] = name
        call_command("migrate", database="owner", interactive=False, verbosity=0)
        grants.grant(owner, role=settings.DATABASES["default"]["USER"])
        owner.close()
    yield
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        for connection in connections.all(initialized_only=True):
            connection.close()
        # An autovacuum worker of the superuser may be at work in it: then the next run drops it as an orphan.
        with suppress(psycopg.Error), psycopg.connect(**_plain(parameters), autocommit=True) as server:
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    shutil.rmtree(settings.STORE, ignore_errors=True)


def _drop_orphans(server: psycopg.Connection) -> None:
    for (name,) in server.execute("SELECT datname FROM pg_database WHERE datname ~ '^test_[0-9]+$'").fetchall():
        pid = int(name.removeprefix("test_"))
        if pid == os.getpid() or not _is_alive(pid):
            with suppress(psycopg.Error):
                server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _plain(parameters: dict) -> dict:
    """Connection parameters that psycopg alone understands."""
    wanted = ("dbname", "user", "password", "host", "port")
    return {key: parameters[key] for key in wanted if parameters.get(key)}


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
