"""Engine folders for the tests: real engines, in a path with a space, gone afterwards."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from project import embedded


@pytest.fixture(scope="module")
def ground() -> Iterator[Path]:
    """A folder that every user can pass (pytest's own are closed to others), with a space in its name."""
    folder = Path(tempfile.mkdtemp(prefix="concord tests ", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def var(ground: Path) -> Iterator[Path]:
    """A var folder whose engines the tests of a module share; each test starts them as it needs."""
    folder = ground / "var"
    yield folder
    embedded.discard(folder)


@pytest.fixture
def engines(var: Path) -> Iterator[embedded.Engines]:
    """Running engines, let go after the test."""
    yield embedded.ensure(var)
    embedded.release(var)


@pytest.fixture
def needs_root() -> None:
    """Skip where the test would have to become another user."""
    if os.geteuid() != 0:
        pytest.skip("Only root can run a process as another user.")
