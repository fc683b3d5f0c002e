"""One process per engine folder that runs PostgreSQL and Redis, restarts what dies, ends when unused.

Decides who lives when. Refuses to know how an engine is set up, and who its users are: it sees their lock.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Protocol

from project import locks
from project.binaries import find_binaries
from project.logs import open_log
from project.places import EngineError, Place, find_place, prepare
from project.postgres import Postgres
from project.processes import die_with_parent, stop
from project.redis_server import Redis

TICK_SECONDS = 0.1
LINGER_SECONDS = 2.0
FIRST_DELAY_SECONDS, LAST_DELAY_SECONDS = 0.2, 5.0
# An engine that has lived so long was healthy: its next death starts the delays afresh.
HEALTHY_SECONDS = 10.0
STOP_PATIENCE_SECONDS = 15.0
HOPELESS_DEATHS = 5


class Engine(Protocol):
    """A server that the keeper can run."""

    name: str
    socket: Path
    data: Path
    stop_signals: tuple[signal.Signals, ...]
    death_signal: signal.Signals

    def prepare(self) -> None: ...
    def command(self) -> list[str]: ...
    def answers(self) -> bool: ...
    def set_aside(self) -> str | None: ...


class KeptEngine:
    """An engine with its process, and when it may be started again."""

    def __init__(self, *, engine: Engine, place: Place) -> None:
        self.engine = engine
        self.place = place
        self.process: subprocess.Popen[bytes] | None = None
        self.is_ready = False
        self._was_ready = False
        self._deaths = 0
        self._started = 0.0
        self._not_before = 0.0

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self.process.pid if self.process else None

    def tend(self) -> None:
        """Start, check or mourn the engine. EngineError: it has never answered and keeps dying."""
        if self.process is None:
            if time.monotonic() >= self._not_before:
                self._start()
        elif self.process.poll() is not None:
            self._note_death(self.process.returncode)
        elif not self.is_ready:
            self.is_ready = self.engine.answers()
            self._was_ready |= self.is_ready
        elif not self.engine.socket.exists():
            _say(f"{self.engine.name}: its socket {self.engine.socket} was removed; restarting it.")
            self.stop()

    def stop(self) -> None:
        """Stop the engine cleanly, by force if it doesn't listen."""
        if self.process is not None:
            stop(self.process, signals=self.engine.stop_signals, patience_seconds=STOP_PATIENCE_SECONDS)
        self.is_ready = False

    def _start(self) -> None:
        self.engine.prepare()
        place = self.place
        is_root = os.geteuid() == 0
        with open_log(place, self.engine.name) as log:
            self.process = subprocess.Popen(
                self.engine.command(),
                cwd=self.engine.data,
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C in a terminal is for the engines' users; the engines follow when those have gone.
                start_new_session=True,
                preexec_fn=die_with_parent(self.engine.death_signal),  # noqa: PLW1509 - the keeper has one thread
                user=place.uid if is_root else None,
                group=place.gid if is_root else None,
                extra_groups=() if is_root else None,
            )
        self._started = time.monotonic()

    def _note_death(self, code: int) -> None:
        self.process, self.is_ready = None, False
        lived = time.monotonic() - self._started
        self._deaths = 1 if lived > HEALTHY_SECONDS else self._deaths + 1
        _say(f"{self.engine.name}: ended with code {code} after {lived:.1f} s; starting it again.")
        if self._deaths == HOPELESS_DEATHS - 2 and (notice := self.engine.set_aside()):
            _say(notice)
        if self._deaths >= HOPELESS_DEATHS and not self._was_ready:
            raise EngineError(f"{self.engine.name} has ended {self._deaths} times and never answered.")
        delay = min(LAST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** (self._deaths - 1))
        self._not_before = time.monotonic() + delay


class Keeper:
    """Keeps both engines of a place for as long as somebody holds the users' lock.

    `decided` is called once this keeper is the only one; a keeper that isn't to be ends instead.
    """

    def __init__(self, *, place: Place, stays: bool, decided: Callable[[], None]) -> None:
        self.place = place
        self.stays = stays
        self._decided = decided
        self.wants_end = False
        self._last_state = ""
        self._users = locks.open_lock(place.users_lock, owner=place.owner)
        self._next_look = 0.0
        self._idle_since: float | None = None

    def run(self) -> int:
        """Wait to be the only keeper, then keep until the end; returns the exit code."""
        keeper_lock = locks.open_lock(self.place.keeper_lock, owner=self.place.owner)
        if not self._become_the_one(keeper_lock):
            return 0
        self._decided()
        self.place.state.unlink(missing_ok=True)
        kept: list[KeptEngine] = []
        try:
            binaries = find_binaries(self.place)
            kept = [
                KeptEngine(engine=engine, place=self.place)
                for engine in (
                    Postgres(place=self.place, binaries=binaries),
                    Redis(place=self.place, binaries=binaries),
                )
            ]
            while not self.wants_end and not self._is_unused():
                for one in kept:
                    one.tend()
                self._write_state(kept)
                time.sleep(TICK_SECONDS)
            return 0
        except EngineError as error:
            _say(str(error))
            return 1
        finally:
            self.place.state.unlink(missing_ok=True)
            for one in kept:
                one.stop()
            _say("The engines are stopped.")

    def _become_the_one(self, keeper_lock: int) -> bool:
        if not self.stays:
            # Somebody may be looking whether the lock is held, which takes it for a moment. Who launches a keeper
            # holds the users' lock; one that comes late, when all have gone, must not start what is being deleted.
            return locks.take(keeper_lock, patience_seconds=1.0) and not locks.take(self._users)
        waited = False
        while not self.wants_end and not locks.take(keeper_lock, patience_seconds=0.2):
            if not waited:
                _say("PostgreSQL and Redis are kept by another process; standing by.")
            waited = True
        return not self.wants_end

    def _is_unused(self) -> bool:
        """Whether the users' lock has been free for a while; then keeps it, and newcomers out, to the end."""
        now = time.monotonic()
        if self.stays or now < self._next_look:
            return False
        self._next_look = now + 0.25
        if not locks.take(self._users):
            self._idle_since = None
            return False
        self._idle_since = self._idle_since or now
        if now - self._idle_since >= LINGER_SECONDS:
            return True
        locks.drop(self._users)
        return False

    def _write_state(self, kept: list[KeptEngine]) -> None:
        pids = {"keeper": os.getpid()} | {one.engine.name: one.pid for one in kept}
        state = json.dumps({"ready": all(one.is_ready for one in kept), "pids": pids})
        if state == self._last_state:
            return
        if '"ready": true' in state:
            _say(f"PostgreSQL (process {pids['postgresql']}) and Redis (process {pids['redis']}) answer.")
        unfinished = self.place.state.with_suffix(".unfinished")
        unfinished.write_text(state)
        os.chown(unfinished, self.place.owner, -1)
        unfinished.rename(self.place.state)
        self._last_state = state


def _detach() -> Callable[[], None]:
    """Go on in a child. The process that was started ends when the child calls what this returns, or has ended.

    Who launches a keeper can then see at once whether there is one. Were it to look too early and launch a second,
    that one would wait for the lock, and could snatch it from a keeper that stands by.
    """
    heard, said = os.pipe()
    if os.fork():
        os.close(said)
        os.read(heard, 1)
        # Without flushing or unwinding: the child does that.
        os._exit(0)
    os.close(heard)
    return lambda: os.close(said)


def _say(text: str) -> None:
    # Whoever read this may have gone, and that is no reason to leave the engines alone.
    with contextlib.suppress(BrokenPipeError):
        print(time.strftime("%H:%M:%S"), text, flush=True)


def main(words: list[str] | None = None) -> int:
    """Run a keeper; see --help."""
    parser = argparse.ArgumentParser(prog="python -m project.keeper", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="the var folder (default: CONCORD_VAR, else ./var)")
    parser.add_argument("--detach", action="store_true", help="keep in the background; return when that has begun")
    parser.add_argument("--stay", action="store_true", help="keep until told to stop; stand by while another keeps")
    given = parser.parse_args(words)
    decided = _detach() if given.detach else lambda: None
    # The environment must not lead the driver to another server.
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]
    try:
        place = find_place(given.folder)
        prepare(place)
    except EngineError as error:
        _say(str(error))
        return 1
    keeper = Keeper(place=place, stays=given.stay, decided=decided)

    def end(_number: int, _frame: FrameType | None) -> None:
        keeper.wants_end = True

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    return keeper.run()


if __name__ == "__main__":
    sys.exit(main())
