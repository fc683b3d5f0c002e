"""What the embedded engines survive: kills, restarts, and files that a crash or a stranger has left."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis

from project import embedded, keeper, locks
from project.places import REPOSITORY, Place, find_place
from project.processes import list_processes

PATIENCE_SECONDS = 20.0


@pytest.fixture(scope="module")
def place(var: Path) -> Place:
    embedded.ensure(var)
    return find_place(var)


@pytest.fixture
def engines(var: Path, place: Place) -> embedded.Engines:
    """Running engines; the next test takes them over as they are left, and `var` ends them."""
    return embedded.ensure(var)


def test_data_survive_a_restart(engines: embedded.Engines, var: Path) -> None:
    word = write_word(engines)
    with redis.Redis.from_url(engines.redis_url) as client:
        client.set("kept", word)
    before = embedded.engine_pids(var)
    embedded.release(var)
    assert embedded.engine_pids(var) == {}
    assert not any(is_running(pid) for pid in before.values())
    embedded.ensure(var)
    assert word in (read_words(engines) or [])
    with redis.Redis.from_url(engines.redis_url, decode_responses=True) as client:
        assert client.get("kept") == word


def test_killed_postgresql_is_started_again_with_every_committed_row(engines: embedded.Engines, var: Path) -> None:
    word = write_word(engines)
    before = embedded.engine_pids(var)
    os.kill(before["postgresql"], signal.SIGKILL)
    wait_for(lambda: word in (read_words(engines) or []))
    assert embedded.engine_pids(var)["postgresql"] != before["postgresql"]
    assert embedded.engine_pids(var)["keeper"] == before["keeper"]


def test_killed_redis_is_started_again_though_its_data_were_deleted(
    engines: embedded.Engines, var: Path, place: Place
) -> None:
    before = embedded.engine_pids(var)["redis"]
    shutil.rmtree(place.base / "redis")
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: answers_ping(engines))
    assert embedded.engine_pids(var)["redis"] != before


def test_redis_starts_empty_where_its_data_cannot_be_read(engines: embedded.Engines, var: Path, place: Place) -> None:
    with redis.Redis.from_url(engines.redis_url) as client:
        client.set("lost", "1")
    embedded.release(var)
    (place.base / "redis" / "appendonly.aof").write_bytes(b"this is no append-only file\r\n" * 20)
    embedded.ensure(var)
    with redis.Redis.from_url(engines.redis_url) as client:
        assert client.get("lost") is None
    aside = list(place.base.glob("redis.unreadable.*"))
    assert len(aside) == 1
    assert f"it is kept in {aside[0]}" in (place.log / "keeper.log").read_text()
    shutil.rmtree(aside[0])


def test_removed_socket_brings_the_engine_back(engines: embedded.Engines, place: Place) -> None:
    (place.sockets / ".s.PGSQL.5432").unlink()
    wait_for(lambda: read_words(engines) is not None)


def test_killed_keeper_takes_its_engines_along_and_the_next_call_starts_them(
    engines: embedded.Engines, var: Path, place: Place
) -> None:
    word = write_word(engines)
    before = embedded.engine_pids(var)
    os.kill(before["keeper"], signal.SIGKILL)
    # A process that ends gives up its memory, and with it its command line, a moment before its locks.
    wait_for(lambda: not embedded.engine_pids(var))
    embedded.ensure(var)
    assert word in (read_words(engines) or [])
    assert answers_ping(engines)
    after = embedded.engine_pids(var)
    assert not set(before.values()) & set(after.values())
    wait_for(lambda: running_engines(place) == {after["postgresql"], after["redis"]})


def test_launch_returns_when_its_keeper_has_the_lock(engines: embedded.Engines, var: Path, place: Place) -> None:
    """A caller that saw none yet would launch another, and that one could snatch the lock from one standing by."""
    os.kill(embedded.engine_pids(var)["keeper"], signal.SIGKILL)
    wait_for(lambda: not embedded.engine_pids(var))
    command = [sys.executable, "-m", "project.keeper", "--detach", str(var)]
    with (place.log / "keeper.log").open("ab") as log:
        for _ in range(2):
            subprocess.run(command, cwd=REPOSITORY, stdout=log, stderr=log, check=True, timeout=60)
            assert locks.is_held(place.keeper_lock, owner=place.owner)
    wait_for(lambda: answers_ping(engines) and read_words(engines) is not None)
    assert running_keepers(var) == [embedded.engine_pids(var)["keeper"]]


def test_standing_by_takes_over_from_a_killed_keeper(engines: embedded.Engines, var: Path) -> None:
    command = [sys.executable, "-m", "project.keeper", "--stay", str(var)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as standby:
        assert standby.stdout is not None
        assert "standing by" in standby.stdout.readline()
        os.kill(embedded.engine_pids(var)["keeper"], signal.SIGKILL)
        try:
            wait_for(lambda: embedded.engine_pids(var).get("keeper") == standby.pid and answers_ping(engines))
            wait_for(lambda: read_words(engines) is not None)
        finally:
            standby.terminate()
    assert standby.returncode == 0


@pytest.mark.parametrize("content", ["", "12", "{pid}", "{pid}\n{data}\n17\n5432\n"])
def test_lock_files_of_a_crash_do_not_block_the_start(
    engines: embedded.Engines, var: Path, place: Place, content: str
) -> None:
    """An empty file, one cut off, and those whose pid is another program's of the same owner by now."""
    word = write_word(engines)
    embedded.release(var)
    is_root = os.geteuid() == 0
    with subprocess.Popen(["sleep", "60"], user=place.uid if is_root else None) as stranger:
        data = place.base / "postgresql"
        text = content.format(pid=stranger.pid, data=data)
        for path in (data / "postmaster.pid", place.sockets / ".s.PGSQL.5432.lock"):
            path.write_text(text)
        for name in (".s.PGSQL.5432", "redis.sock"):
            with socket.socket(socket.AF_UNIX) as stale:
                stale.bind(str(place.sockets / name))
        try:
            embedded.ensure(var)
            assert word in (read_words(engines) or [])
            assert answers_ping(engines)
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_engines_end_with_the_last_user_even_if_it_was_killed(var: Path, place: Place) -> None:
    embedded.release(var)
    script = (
        "import sys, time; from pathlib import Path; from project import embedded;"
        "embedded.ensure(Path(sys.argv[1])); print('up', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", script, str(var)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as user:
        assert user.stdout is not None and user.stdout.readline() == "up\n"
        wait_for(lambda: len(running_engines(place)) == 2)
        user.kill()
    wait_for(lambda: not running_engines(place))
    assert not (place.base / "postgresql" / "postmaster.pid").exists()


def test_engines_stay_while_another_process_needs_them(engines: embedded.Engines, var: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from project import embedded;"
        "embedded.ensure(Path(sys.argv[1])); print('up', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(var)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=REPOSITORY, text=True, **pipes) as other:  # type: ignore[call-overload]
        assert other.stdout.readline() == "up\n"
        before = time.monotonic()
        embedded.release(var)
        assert time.monotonic() - before < 2
        time.sleep(keeper.LINGER_SECONDS + 0.5)
        assert answers_ping(engines)


def test_keeper_that_comes_when_all_users_have_gone_starts_nothing(var: Path, place: Place) -> None:
    """Of several that were launched at once, one may get the lock only when everything is over and being deleted."""
    embedded.release(var)
    command = [sys.executable, "-m", "project.keeper", str(var)]
    late = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=30)
    assert (late.returncode, late.stdout, late.stderr) == (0, "", "")
    assert not place.state.exists()


def test_processes_that_start_at_once_share_one_pair_of_engines(var: Path, place: Place) -> None:
    embedded.release(var)
    script = (
        "import sys; from pathlib import Path; from project import embedded;"
        "embedded.ensure(Path(sys.argv[1])); print(embedded.engine_pids(Path(sys.argv[1])));"
        "sys.stdout.flush(); sys.stdin.read()"
    )
    with contextlib.ExitStack() as stack:
        starts = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", script, str(var)],
                    cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                )
            )
            for _ in range(4)
        ]  # fmt: skip
        said = {start.stdout.readline() for start in starts if start.stdout is not None}
        assert len(said) == 1
        wait_for(lambda: len(running_engines(place)) == 2)


def write_word(engines: embedded.Engines) -> str:
    word = f"word {time.time_ns()}"
    with psycopg.connect(engines.owner_url) as owner:
        owner.execute("CREATE TABLE IF NOT EXISTS words (word text)")
        owner.execute("INSERT INTO words VALUES (%s)", [word])
    return word


def read_words(engines: embedded.Engines) -> list[str] | None:
    """The words, or None while PostgreSQL doesn't answer."""
    try:
        with psycopg.connect(engines.owner_url) as owner:
            owner.execute("CREATE TABLE IF NOT EXISTS words (word text)")
            return [row[0] for row in owner.execute("SELECT word FROM words")]
    except psycopg.OperationalError:
        return None


def answers_ping(engines: embedded.Engines) -> bool:
    try:
        with redis.Redis.from_url(engines.redis_url) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False


def running_engines(place: Place) -> set[int]:
    """The servers that run at a place, found by their command lines: the postmaster and Redis.

    A helper of the postmaster has its command line, too, until it has given itself a title.
    """
    data, sock = os.fsencode(place.base / "postgresql"), os.fsencode(place.sockets / "redis.sock")
    return {
        process.pid
        for process in list_processes()
        if b"-D\0" + data + b"\0" in process.command or (b"redis-server" in process.command and sock in process.command)
    }


def running_keepers(var: Path) -> list[int]:
    """The keepers of a folder: those who keep and those who wait to. What a keeper starts is one for a moment."""
    folder = b"\0" + os.fsencode(var) + b"\0"
    return [one.pid for one in list_processes() if b"project.keeper" in one.command and folder in one.command]


def is_running(pid: int) -> bool:
    return any(process.pid == pid and process.command for process in list_processes())


def wait_for(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (value := is_true()):
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS} s"
        time.sleep(0.1)
    assert value
