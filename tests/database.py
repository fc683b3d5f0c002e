"""The test database: migrated once into a template, copied for each process of a test run.

Decides when a template is out of date and what an earlier run has left behind; refuses to know what tests put in.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections

REPOSITORY = Path(__file__).resolve().parent.parent
MAKES = ("annotation/migrations/*.py", "annotation/management/*.py", "annotation/models/*.py", "requirements*.txt")
"""The files that decide what a fresh database holds."""
_LOCK = 0x636F6E63


@contextmanager
def made() -> Iterator[None]:
    """A fresh database of the owner's role, to which all connections of this process lead until it is dropped."""
    name, place = f"test_{os.getpid()}", find_place()
    with psycopg.connect(**place, autocommit=True) as server:
        # One process of a run migrates; the others wait for it here.
        server.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        template = f"template_{_digest()}"
        _drop_what_is_left(server, template)
        if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [template]).fetchone():
            server.execute(f'CREATE DATABASE "{name}"')
            lead_to(name)
            fill()
            server.execute(f'ALTER DATABASE "{name}" RENAME TO "{template}"')
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    lead_to(name)
    yield
    close_all()
    # An autovacuum worker of the superuser may be at work in it: then the next run drops it.
    with suppress(psycopg.Error), psycopg.connect(**place, autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def sweep() -> None:
    """Take out what rolled-back tests have left in the tables: a long test reads past it again and again."""
    with psycopg.connect(**find_place(), autocommit=True) as owner:
        owner.execute("VACUUM (ANALYZE)")


def find_place() -> dict[str, Any]:
    """Where the owner's connection leads to, as psycopg alone understands it."""
    wanted = ("dbname", "user", "password", "host", "port")
    return {key: value for key, value in connections["owner"].get_connection_params().items() if key in wanted}


def _digest() -> str:
    found = hashlib.sha256()
    for path in sorted(path for pattern in MAKES for path in REPOSITORY.glob(pattern)):
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()[:16]


def fill() -> None:
    """Tables and rights as in production, in the database that the connections lead to; leaves them closed."""
    from annotation.management import grants

    owner = connections["owner"]
    call_command("migrate", database="owner", interactive=False, verbosity=0)
    grants.grant(owner, role=settings.DATABASES["default"]["USER"])
    close_all()


def close_all() -> None:
    """Let go of the database, so that it can be renamed, copied or dropped."""
    for connection in connections.all(initialized_only=True):
        connection.close()


def lead_to(name: str) -> None:
    """Both connections lead to the database `name` from now on."""
    for alias in ("default", "owner"):
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = name
        settings.DATABASES[alias]["NAME"] = name


def _drop_what_is_left(server: psycopg.Connection, template: str) -> None:
    """Databases of runs that were killed, and templates of other migrations."""
    names = server.execute("SELECT datname FROM pg_database WHERE datname ~ '^(test|template)_[0-9a-f]+$'").fetchall()
    for (name,) in names:
        kind, _, mark = name.partition("_")
        is_left = name != template if kind == "template" else int(mark) == os.getpid() or not _is_alive(int(mark))
        if is_left:
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
