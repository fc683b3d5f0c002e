"""The secret key: made once, private, the same for all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from project.places import REPOSITORY
from project.secret import secret_key


@pytest.fixture(autouse=True)
def no_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)


def test_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    key = secret_key(tmp_path / "var")
    assert len(key) >= 64
    assert secret_key(tmp_path / "var") == key
    assert secret_key(tmp_path / "other") != key
    path = tmp_path / "var" / "secret-key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["secret-key"]


def test_key_of_the_environment_wins_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "from outside")
    assert secret_key(tmp_path) == "from outside"
    assert list(tmp_path.iterdir()) == []


def test_empty_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret-key").write_text("\n")
    with pytest.raises(ValueError, match="secret-key is empty; delete it"):
        secret_key(tmp_path)


def test_processes_that_ask_at_once_get_the_same_key(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from project.secret import secret_key;"
        "sys.stdin.readline(); print(secret_key(Path(sys.argv[1])))"
    )
    environment = {name: value for name, value in os.environ.items() if name != "SECRET_KEY"}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)],
            cwd=REPOSITORY, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(4)
    ]  # fmt: skip
    for one in started:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    assert len({one.communicate()[0] for one in started}) == 1
