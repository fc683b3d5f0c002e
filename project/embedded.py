"""The embedded PostgreSQL and Redis for those who need them: URLs, a call that starts, one that lets go.

Decides when the engines are said to answer. Refuses to know how they are run (`project.keeper`) and where
(`project.places`).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from project import locks
from project.logs import last_lines, open_log
from project.places import REPOSITORY, EngineError, Place, find_place, prepare, var_folder
from project.postgres_names import APP_ROLE, OWNER_ROLE, PORT, postgres_url

__all__ = [
    "EngineError",
    "Engines",
    "discard",
    "engine_pids",
    "engine_urls",
    "ensure",
    "release",
    "var_folder",
]

POLL_SECONDS = 0.05
LOG_TAIL_LINES = 12
_LAUNCHES = 2

# One open lock file for each place in use; closing it tells the keeper that this process needs it no more.
_held: dict[Path, int] = {}


@dataclass(frozen=True)
class Engines:
    """How to reach the embedded engines: as the application, as the owner of the tables, and Redis."""

    database_url: str
    owner_url: str
    redis_url: str


def engine_urls(folder: Path | None = None) -> Engines:
    """The URLs of a var folder's engines (default: `var_folder()`); starts and makes nothing."""
    return _urls(find_place(folder))


def ensure(folder: Path | None = None, *, timeout_seconds: float = 60.0) -> Engines:
    """Start what isn't running, wait until both engines answer, keep them while this process lives.

    Raises EngineError, with the last lines of the logs, where they can't be started.
    """
    place = find_place(folder)
    prepare(place)
    deadline = time.monotonic() + timeout_seconds
    _hold(place, deadline)
    launches = 0
    while not _is_ready(place):
        if not locks.is_held(place.keeper_lock, owner=place.owner):
            if launches == _LAUNCHES:
                raise EngineError(_failure(place, "have ended without answering"))
            _launch_keeper(place)
            launches += 1
        if time.monotonic() > deadline:
            raise EngineError(_failure(place, f"did not answer within {timeout_seconds:.0f} s"))
        time.sleep(POLL_SECONDS)
    return _urls(place)


def release(folder: Path | None = None, *, patience_seconds: float = 20.0) -> None:
    """Need the engines no more; returns when they are stopped, or others are seen to use them."""
    place = find_place(folder)
    if (held := _held.pop(place.base, None)) is not None:
        os.close(held)
    if not place.keeper_lock.exists():
        return
    users = locks.open_lock(place.users_lock, owner=place.owner)
    try:
        deadline = time.monotonic() + patience_seconds
        while locks.is_held(place.keeper_lock, owner=place.owner) and time.monotonic() < deadline:
            if locks.take(users):
                # Newcomers now wait until the keeper has ended, and then start another.
                _end_keeper(place)
            elif locks.take(users, shared=True):
                # Neither free nor taken by the keeper that is stopping the engines: somebody else uses them.
                return
            time.sleep(POLL_SECONDS)
    finally:
        os.close(users)


def discard(folder: Path | None = None) -> None:
    """Stop the engines and delete all their data and sockets. EngineError: somebody else uses them."""
    place = find_place(folder)
    release(folder)
    if not place.base.exists():
        return
    if locks.is_held(place.keeper_lock, owner=place.owner):
        raise EngineError(f"The engines in {place.base} are in use; stop what uses them, then try again.")
    for path in (place.base, place.sockets):
        if path.exists():
            shutil.rmtree(path)


def engine_pids(folder: Path | None = None) -> dict[str, int]:
    """Process ids by name (`keeper`, `postgresql`, `redis`), of those that run now."""
    place = find_place(folder)
    if not place.base.exists() or not locks.is_held(place.keeper_lock, owner=place.owner):
        return {}
    return {name: pid for name, pid in _state(place)["pids"].items() if pid}


def _urls(place: Place) -> Engines:
    return Engines(
        database_url=postgres_url(APP_ROLE, sockets=place.sockets),
        owner_url=postgres_url(OWNER_ROLE, sockets=place.sockets),
        redis_url=f"unix://{quote(str(place.sockets / 'redis.sock'), safe='/')}",
    )


def _hold(place: Place, deadline: float) -> None:
    if place.base in _held:
        return
    descriptor = locks.open_lock(place.users_lock, owner=place.owner)
    # A keeper that is stopping the engines holds the lock until it has ended.
    if not locks.take(descriptor, shared=True, patience_seconds=max(0.0, deadline - time.monotonic())):
        os.close(descriptor)
        raise EngineError(_failure(place, "are being stopped, and that takes too long"))
    _held[place.base] = descriptor


def _is_ready(place: Place) -> bool:
    state = _state(place)
    return (
        bool(state["ready"])
        and locks.is_held(place.keeper_lock, owner=place.owner)
        and (place.sockets / f".s.PGSQL.{PORT}").exists()
    )


def _state(place: Place) -> dict[str, dict[str, int | None]]:
    try:
        found: dict[str, dict[str, int | None]] = json.loads(place.state.read_text())
    except FileNotFoundError:
        return {"ready": {}, "pids": {}}
    return found


def _launch_keeper(place: Place) -> None:
    with open_log(place, "keeper") as log:
        subprocess.run(
            [sys.executable, "-m", "project.keeper", "--detach", str(place.var)],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            check=False,
        )


def _end_keeper(place: Place) -> None:
    if pid := _state(place)["pids"].get("keeper"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def _failure(place: Place, what: str) -> str:
    lines = [f"The embedded engines in {place.base} {what}. The last lines of their logs:"]
    lines += [f"  {line}" for line in last_lines(place, count=LOG_TAIL_LINES)]
    lines.append("Mend what they name, or set DATABASE_URL and REDIS_URL to engines that run elsewhere.")
    return "\n".join(lines)


def main() -> int:
    """Command line: `ensure` prints the URLs, `discard` deletes everything."""
    parser = argparse.ArgumentParser(prog="python -m project.embedded", description=__doc__)
    parser.add_argument("action", choices=["ensure", "urls", "discard"])
    parser.add_argument("folder", type=Path, nargs="?")
    given = parser.parse_args()
    try:
        if given.action == "discard":
            discard(given.folder)
        else:
            print(ensure(given.folder) if given.action == "ensure" else engine_urls(given.folder))
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
