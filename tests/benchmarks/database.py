"""A database of the benchmarks' own: made, filled, kept where one asks for it.

Decides names and roles; refuses to know what is written. Runs in a process of its own, as pytest holds Django's
connections: `python -m tests.benchmarks.database` fills one and keeps it (CONCORD_BENCH_DATABASE names it).
"""

import json
import os
import shutil
import time
from pathlib import Path

import django
import psycopg

KEPT = "CONCORD_BENCH_DATABASE"
DEFAULT = "bench_million"


def prepare(name: str) -> bool:
    """Point both connections at the database `name`, made and migrated where there is none; whether it is new."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    from annotation.management import grants
    from project import embedded

    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        embedded.ensure()
    settings.STORE = _store(name)
    owner = connections["owner"]
    with _server() as server:
        found = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not found:
            server.execute(f'CREATE DATABASE "{name}"')
    for alias in ("default", "owner"):
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = settings.DATABASES[alias]["NAME"] = name
    call_command("migrate", database="owner", interactive=False, verbosity=0)
    grants.grant(owner, role=settings.DATABASES["default"]["USER"])
    return not found


def drop(name: str) -> None:
    """Take the database away again."""
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        connection.close()
    for alias in ("default", "owner"):
        connections[alias].settings_dict["NAME"] = "postgres"
    with _server() as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    shutil.rmtree(_store(name), ignore_errors=True)


def _store(name: str) -> Path:
    return Path(os.environ["CONCORD_VAR"]) / f"store-{name}"


def _server() -> psycopg.Connection:
    from django.db import connections

    parameters = connections["owner"].get_connection_params()
    wanted = ("dbname", "user", "password", "host", "port")
    return psycopg.connect(**{key: parameters[key] for key in wanted if parameters.get(key)}, autocommit=True)


def main() -> None:
    """Fill the database that is kept, and say how long it took and under which name it lies."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.benchmarks import million

    name = os.environ.get(KEPT, DEFAULT)
    start = time.perf_counter()
    million.open_database(name)
    print(json.dumps({"database": name, "seconds": round(time.perf_counter() - start, 1)}))


if __name__ == "__main__":
    main()
