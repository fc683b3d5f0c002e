"""A small supervisor: starts programs, labels what they print, restarts what dies, stops all of them.

Decides when a program is started, restarted and given up on. Refuses to know what the programs are for.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from project.processes import die_with_parent

TICK_SECONDS = 0.1
FIRST_DELAY_SECONDS, LAST_DELAY_SECONDS = 0.2, 5.0
# A program that has lived so long was healthy: its next death starts the delays afresh.
HEALTHY_SECONDS = 10.0
COLOURS = (36, 32, 33, 35, 34, 96, 92, 93)


@dataclass(frozen=True)
class Program:
    """What to run: a label, a command line, and how it is asked to stop."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    pass_fds: tuple[int, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    # What the kernel sends should the runner be killed; None: the stop signal.
    death_signal: signal.Signals | None = None
    # How far it stands back from the others where processors are short (0 to 19).
    niceness: int = 0
    # Stopped only after all that are not: engines outlive those who use them.
    stops_last: bool = False


class Supervised:
    """A program with its process, its output so far without a line's end, and when it may start again."""

    def __init__(self, *, program: Program, label: str) -> None:
        self.program = program
        self.label = label
        self.process: subprocess.Popen[bytes] | None = None
        self.partial_line = b""
        self.not_before = 0.0
        self._deaths = 0
        self._started = 0.0

    def start(self, *, cwd: Path) -> None:
        """Start the program in a session of its own, so that Ctrl-C reaches the runner alone."""
        program = self.program
        death_signal = program.death_signal or program.stop_signal
        self.process = subprocess.Popen(
            program.argv,
            cwd=cwd,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **program.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=program.pass_fds,
            preexec_fn=die_with_parent(death_signal, niceness=program.niceness),  # noqa: PLW1509 - takes no lock, imports nothing
        )
        self._started = time.monotonic()

    def has_ended(self) -> bool:
        """Whether the process has ended; the rest of its group is killed before its pid is given back."""
        if self.process is None:
            return False
        if os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return False
        self.kill_group()
        self.process.wait()
        return True

    def kill_group(self) -> None:
        """Kill the process and all of its group, at once."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def delay_restart(self) -> float:
        """Seconds until the next start: longer with each early death."""
        lived = time.monotonic() - self._started
        self._deaths = 1 if lived > HEALTHY_SECONDS else self._deaths + 1
        delay = min(LAST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** (self._deaths - 1))
        self.not_before = time.monotonic() + delay
        return delay


class Runner:
    """Runs programs until told to stop, in a thread that starts, reads and restarts them.

    `pid_folder` gets `<name>.pid` for each running program; `output` gets labelled lines.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        pid_folder: Path,
        cwd: Path,
        output: TextIO | None = None,
        patience_seconds: float = 10.0,
    ) -> None:
        self._pid_folder = pid_folder
        self._cwd = cwd
        self._output = output or sys.stdout
        self._patience_seconds = patience_seconds
        width = max(len(program.name) for program in programs)
        has_colour = self._output.isatty() and not os.environ.get("NO_COLOR")
        self._supervised = [
            Supervised(program=program, label=_label(program.name, width, position if has_colour else None))
            for position, program in enumerate(programs)
        ]
        self._selector = selectors.DefaultSelector()
        self._stops = threading.Event()
        self._is_hurried = threading.Event()
        self._has_started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="runner")
        self._failure: BaseException | None = None

    @property
    def pids(self) -> dict[str, int]:
        """The ids of the processes that run now, by the names of their programs."""
        return {one.program.name: process.pid for one in self._supervised if (process := one.process)}

    def start(self) -> None:
        """Start all programs; returns when each has been started. Raises what hinders the first start."""
        self._pid_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._thread.start()
        self._has_started.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def stop(self) -> None:
        """Stop all programs, by force after the patience is over; returns when none is left."""
        self._stops.set()
        self._thread.join()

    def hurry(self) -> None:
        """Stop without patience."""
        self._is_hurried.set()
        self._stops.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the runner's end, at most so long; whether it has ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        # This thread must outlive the children: the kernel ties their lives to the thread that starts them.
        try:
            while not self._stops.is_set():
                self._tend()
                self._has_started.set()
                self._read(TICK_SECONDS)
        except OSError as error:
            self._failure = error
        finally:
            self._stop_wave([one for one in self._supervised if not one.program.stops_last])
            self._stop_wave([one for one in self._supervised if one.program.stops_last])
            self._selector.close()
            self._has_started.set()

    def _tend(self) -> None:
        for one in self._supervised:
            if one.has_ended():
                code = self._forget(one)
                delay = one.delay_restart()
                self._print(one, f"ended ({_describe(code)}); starting it again in {delay:.1f} s")
            if one.process is None and time.monotonic() >= one.not_before:
                self._start(one)

    def _start(self, one: Supervised) -> None:
        one.start(cwd=self._cwd)
        assert one.process is not None and one.process.stdout is not None
        os.set_blocking(one.process.stdout.fileno(), False)
        self._selector.register(one.process.stdout, selectors.EVENT_READ, one)
        unfinished = self._pid_path(one).with_suffix(".unfinished")
        unfinished.write_text(f"{one.process.pid}\n")
        unfinished.rename(self._pid_path(one))

    def _forget(self, one: Supervised) -> int:
        process = one.process
        assert process is not None and process.stdout is not None
        self._read_from(one)
        if one.partial_line:
            self._print(one, one.partial_line.decode(errors="replace"))
        self._selector.unregister(process.stdout)
        process.stdout.close()
        self._pid_path(one).unlink(missing_ok=True)
        one.process, one.partial_line = None, b""
        return process.returncode

    def _stop_wave(self, wave: list[Supervised]) -> None:
        for one in wave:
            if one.process is not None:
                one.process.send_signal(one.program.stop_signal)
        deadline = time.monotonic() + self._patience_seconds
        while any(one.process for one in wave):
            for one in wave:
                if one.has_ended():
                    self._forget(one)
                elif time.monotonic() > deadline or self._is_hurried.is_set():
                    one.kill_group()
            self._read(TICK_SECONDS / 2)

    def _read(self, seconds: float) -> None:
        if not self._selector.get_map():
            time.sleep(seconds)
            return
        for key, _ in self._selector.select(seconds):
            self._read_from(key.data)

    def _read_from(self, one: Supervised) -> None:
        assert one.process is not None and one.process.stdout is not None
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(one.process.stdout.fileno(), 65536):
                *lines, one.partial_line = (one.partial_line + chunk).split(b"\n")
                for line in lines:
                    self._print(one, line.decode(errors="replace"))
            # End of file, but perhaps not of the process: a short sleep instead of a busy loop.
            time.sleep(TICK_SECONDS / 10)

    def _print(self, one: Supervised, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            print(f"{one.label} {line}", file=self._output, flush=True)

    def _pid_path(self, one: Supervised) -> Path:
        return self._pid_folder / f"{one.program.name}.pid"


def _label(name: str, width: int, colour: int | None) -> str:
    text = f"{name:<{width}} |"
    return text if colour is None else f"\x1b[{COLOURS[colour % len(COLOURS)]}m{text}\x1b[0m"


def _describe(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
