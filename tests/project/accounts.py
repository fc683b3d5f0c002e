"""Running something as an ordinary user, for tests that run as root."""

from __future__ import annotations

import pwd
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from project.places import can_use

ORDINARY = pwd.getpwnam("nobody")


def run_as_ordinary(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command as an ordinary user in no other group."""
    return subprocess.run(
        argv,
        cwd=cwd,
        env=env,
        user=ORDINARY.pw_uid,
        group=ORDINARY.pw_gid,
        extra_groups=(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def python_for_all() -> str:
    """A Python of this version that other users can run: the environment's may live below root's home."""
    candidates = (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}")
    for candidate in candidates:
        path = Path(candidate)
        if path.exists() and can_use(path.resolve(), ORDINARY.pw_uid):
            return candidate
    pytest.skip(f"An ordinary user can run none of these: {', '.join(candidates)}.")
