"""The port of the site, and which programs run."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from project import embedded, serve
from project.places import REPOSITORY
from project.processes import list_processes


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener


def test_taken_port_is_passed_over_and_said(taken: socket.socket, capsys: pytest.CaptureFixture[str]) -> None:
    port = taken.getsockname()[1]
    with serve.open_listener(port=port) as listener:
        chosen = listener.getsockname()[1]
        assert chosen > port
        assert serve.url(listener) == f"http://127.0.0.1:{chosen}/"
    assert f"Port {port} of 127.0.0.1 can't be used (Address already in use)" in capsys.readouterr().out


def test_port_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch, taken: socket.socket) -> None:
    port = taken.getsockname()[1]
    taken.close()
    monkeypatch.setenv("PORT", str(port))
    with serve.open_listener() as listener:
        assert listener.getsockname() == ("127.0.0.1", port)


def test_no_free_port_is_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch, taken: socket.socket) -> None:
    monkeypatch.setattr(serve, "PORTS_TRIED", 1)
    with pytest.raises(OSError, match="Set PORT to one that is"):
        serve.open_listener(port=taken.getsockname()[1])


def test_programs_are_those_of_the_design(
    taken: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    names = [program.name for program in serve.programs(listener=taken, var=tmp_path)]
    assert names == ["engines", "web", "workers", "trainer", "encoder", "beat", "sweep"]
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/concord")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere")
    without = serve.programs(listener=taken, var=tmp_path)
    assert [program.name for program in without] == names[1:]
    assert all(program.argv[0] == sys.executable for program in without)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_everything_runs_comes_back_after_a_kill_and_leaves_nothing(ground: Path) -> None:
    """`make serve` as a process: the site answers, every program restarts, one Ctrl-C ends all."""
    var = ground / "served"
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    environment |= {"CONCORD_VAR": str(var), "PORT": "18650", "PYTHONWARNINGS": "ignore"}
    run = {"cwd": REPOSITORY, "env": environment, "text": True}
    subprocess.run([sys.executable, "manage.py", "prepare_database", "-v0"], check=True, **run)  # type: ignore[call-overload]
    with (ground / "output").open("w+") as output:
        served = subprocess.Popen([sys.executable, "-m", "project.serve"], stdout=output, stderr=output, **run)  # type: ignore[call-overload]
        try:
            log = ground / "output"
            wait_for(lambda: "Concord is at http://127.0.0.1:" in log.read_text())
            url = log.read_text().split("Concord is at ")[1].split()[0]
            wait_for(lambda: answers(url))
            names = ("web", "workers", "trainer", "encoder", "beat", "sweep", "engines")
            first = {name: pid_of(var, name) for name in names}
            for name in names:
                os.kill(first[name], signal.SIGKILL)
            wait_for(lambda: all(pid_of(var, name) not in (0, first[name]) for name in names))
            wait_for(lambda: answers(url))
        finally:
            served.send_signal(signal.SIGINT)
            code = served.wait(60)
            left = embedded.engine_pids(var)
            if not left:
                embedded.discard(var)
    assert code == 0
    assert left == {}
    assert not [process for process in list_processes() if os.fsencode(var) in process.command]
    assert list((var / "run").iterdir()) == []


def pid_of(var: Path, name: str) -> int:
    """The pid that the runner has written for a program; 0 while it is down."""
    path = var / "run" / f"{name}.pid"
    with contextlib.suppress(FileNotFoundError):
        return int(path.read_text())
    return 0


def answers(url: str) -> bool:
    with contextlib.suppress(OSError):
        return urllib.request.urlopen(f"{url}admin/login/", timeout=5).status == 200
    return False


def wait_for(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not is_true():
        assert time.monotonic() < deadline, "not within 90 s"
        time.sleep(0.1)
