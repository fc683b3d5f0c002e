"""A measurement in a process of its own, as pytest holds Django's connections, and in a database of its own.

Decides how its lines come back and that nothing is left of it; refuses to know what is measured.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django


def run(module: str, *arguments: object) -> list[dict[str, Any]]:
    """What `python -m module` prints, a row for each line of JSON; lines are shown on stderr as they come."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    rows: list[dict[str, Any]] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", file=sys.stderr, flush=True)
            if line.startswith("{"):
                rows.append(json.loads(line))
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return rows


def measure(module: str, *arguments: object) -> dict[str, Any]:
    """The last row of a run."""
    return run(module, *arguments)[-1]


@contextmanager
def own_database(name: str, *, keep: bool = False) -> Iterator[bool]:
    """Django set up on the database `name`, made where there is none (then True comes), and dropped unless kept."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.benchmarks import database

    try:
        yield database.prepare(name)
    finally:
        if not keep:
            database.drop(name)
