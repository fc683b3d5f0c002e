"""The port of the site, and which programs run."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from project import serve


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
    assert names == ["engines", "web", "workers", "trainer", "beat", "sweep"]
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/concord")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere")
    without = serve.programs(listener=taken, var=tmp_path)
    assert [program.name for program in without] == names[1:]
    assert all(program.argv[0] == sys.executable for program in without)
