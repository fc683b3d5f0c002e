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

from tests import database

KEPT = "CONCORD_BENCH_DATABASE"
DEFAULT = "bench_million"


def prepare(name: str) -> bool:
    """Point both connections at the database `name`, made and migrated where there is none; whether it is new."""
    from django.conf import settings

    from project import embedded

    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        embedded.ensure()
    settings.STORE = _store(name)
    with psycopg.connect(**database.find_place(), autocommit=True) as server:
        found = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not found:
            server.execute(f'CREATE DATABASE "{name}"')
    database.lead_to(name)
    database.fill()
    return not found


def drop(name: str) -> None:
    """Take the database away again."""
    database.close_all()
    database.lead_to("postgres")
    with psycopg.connect(**database.find_place(), autocommit=True) as server:
        try:
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        except psycopg.errors.InsufficientPrivilege:
            # An autovacuum worker of the superuser is at work there, which only a drop without force sends away.
            server.execute(f'DROP DATABASE IF EXISTS "{name}"')
    shutil.rmtree(_store(name), ignore_errors=True)


def _store(name: str) -> Path:
    return Path(os.environ["CONCORD_VAR"]) / f"store-{name}"


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
