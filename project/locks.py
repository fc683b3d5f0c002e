"""File locks that vanish with the process that holds them, however it ends.

Decides how a lock file is opened and taken. Refuses to know what a lock protects.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path


def open_lock(path: Path, *, owner: int) -> int:
    """Open (or make) a lock file that only `owner` and root can open; the descriptor ends with an exec."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    if os.fstat(descriptor).st_uid != owner:
        os.fchown(descriptor, owner, -1)
    return descriptor


def take(descriptor: int, *, shared: bool = False, patience_seconds: float = 0.0) -> bool:
    """Take the lock, trying for so many seconds; False where others kept it."""
    kind = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(descriptor, kind)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)


def drop(descriptor: int) -> None:
    """Give the lock back and keep the file open."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)


def is_held(path: Path, *, owner: int) -> bool:
    """Whether someone holds the lock exclusively."""
    descriptor = open_lock(path, owner=owner)
    try:
        return not take(descriptor, shared=True)
    finally:
        os.close(descriptor)
