"""Processes that end with their parent, and processes that an earlier run has left behind.

Decides how a child is tied to its parent's life and how one is stopped. Refuses to know what it runs.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class RunningProcess:
    """A process of this machine: its id, its owner, and its command line, NUL or (from `ps`) a space between words."""

    pid: int
    uid: int
    command: bytes


def die_with_parent(death_signal: int, *, niceness: int = 0) -> Callable[[], None]:
    """A `preexec_fn` that has the kernel send `death_signal` once the thread that starts the child has gone.

    `niceness` is added to the child's. The signal is Linux only; elsewhere a child outlives a parent killed with -9,
    until the next start finds it.
    """
    parent = os.getpid()

    def arrange() -> None:
        if niceness:
            os.nice(niceness)
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
            # The parent may have died between the fork and the line above: then no signal would ever come.
            if os.getppid() != parent:
                os._exit(1)

    return arrange


def list_processes() -> Iterable[RunningProcess]:
    """All processes that can be seen. Command lines, unlike more, need no right to trace to be read."""
    if not Path("/proc/self/cmdline").exists():
        yield from _list_with_ps()
        return
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                yield RunningProcess(int(entry.name), entry.stat().st_uid, (entry / "cmdline").read_bytes())


def stop_leftovers(
    *, uid: int, is_ours: Callable[[bytes], bool], signals: Iterable[int], patience_seconds: float
) -> None:
    """Send the processes of `uid` whose command line `is_ours` each signal in turn until none is left."""
    for number in signals:
        for pid in _matching(uid, is_ours):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + patience_seconds
        while time.monotonic() < deadline:
            if not _matching(uid, is_ours):
                return
            time.sleep(0.05)


def stop(process: subprocess.Popen[bytes], *, signals: Iterable[int], patience_seconds: float) -> None:
    """Send each signal in turn until the child has gone; a kill ends the list."""
    for number in (*signals, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience_seconds)


def mentions(command: bytes, words: bytes) -> bool:
    """Whether a command line holds these words in a row; `ps`, unlike /proc, can't tell a space from a gap."""
    return words.replace(b"\0", b" ") in command.replace(b"\0", b" ")


def _matching(uid: int, is_ours: Callable[[bytes], bool]) -> list[int]:
    return [process.pid for process in list_processes() if process.uid == uid and is_ours(process.command)]


def _list_with_ps() -> Iterable[RunningProcess]:
    listing = subprocess.run(["ps", "-axww", "-o", "pid=,uid=,command="], capture_output=True, check=True).stdout
    for line in listing.splitlines():
        pid, uid, command = line.split(None, 2)
        yield RunningProcess(int(pid), int(uid), command + b" ")
