"""The runner with programs of its own: labels, restarts, orderly and forced ends."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from project.places import REPOSITORY
from project.processes import list_processes
from project.runner import Program, Runner

SLEEPER = "import time; print('up', flush=True); time.sleep(60)"


def program(name: str, script: str, *words: str, stops_last: bool = False) -> Program:
    return Program(name=name, argv=(sys.executable, "-c", script, *words), stops_last=stops_last)


def test_lines_carry_the_aligned_name_of_their_program(tmp_path: Path) -> None:
    output = io.StringIO()
    runner = Runner(
        [
            program("web", "print('one'); print('two', end=''); import time; time.sleep(60)"),
            program("workers", SLEEPER),
        ],
        pid_folder=tmp_path / "run",
        cwd=tmp_path,
        output=output,
    )
    runner.start()
    wait_for(lambda: "web     | one\n" in output.getvalue() and "workers | up\n" in output.getvalue())
    runner.stop()
    assert "web     | two\n" in output.getvalue()


def test_killed_program_is_started_again_and_its_pid_file_follows(tmp_path: Path) -> None:
    output = io.StringIO()
    runner = Runner([program("web", SLEEPER)], pid_folder=tmp_path, cwd=tmp_path, output=output)
    runner.start()
    first = runner.pids["web"]
    assert (tmp_path / "web.pid").read_text() == f"{first}\n"
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: runner.pids.get("web") not in (None, first))
    wait_for((tmp_path / "web.pid").exists)
    assert (tmp_path / "web.pid").read_text() == f"{runner.pids['web']}\n"
    runner.stop()
    assert "ended (killed by SIGKILL); starting it again in 0.2 s" in output.getvalue()
    assert list(tmp_path.iterdir()) == []


def test_program_that_keeps_failing_is_started_ever_more_rarely(tmp_path: Path) -> None:
    output = io.StringIO()
    runner = Runner([program("bad", "raise SystemExit(3)")], pid_folder=tmp_path, cwd=tmp_path, output=output)
    runner.start()
    wait_for(lambda: output.getvalue().count("ended") >= 3)
    runner.stop()
    said = [line.split("ended ")[1] for line in output.getvalue().splitlines()[:3]]
    assert said == [f"(exit code 3); starting it again in {delay} s" for delay in (0.2, 0.4, 0.8)]


def test_what_a_dead_program_left_in_its_group_is_killed(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys, time;"
        "child = subprocess.Popen(['sleep', '61']); print(child.pid, flush=True); time.sleep(60)"
    )
    output = io.StringIO()
    runner = Runner([program("web", script)], pid_folder=tmp_path, cwd=tmp_path, output=output)
    runner.start()
    wait_for(lambda: output.getvalue().endswith("\n"))
    child = int(output.getvalue().split("| ")[1])
    os.kill(runner.pids["web"], signal.SIGKILL)
    wait_for(lambda: not is_running(child))
    runner.stop()


def test_engines_are_stopped_after_those_who_use_them(tmp_path: Path) -> None:
    script = (
        "import signal, sys, time;"
        "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(float(sys.argv[1])), print('bye'), sys.exit()));"
        "print('up', flush=True); time.sleep(60)"
    )
    output = io.StringIO()
    programs = [program("engines", script, "0", stops_last=True), program("web", script, "0.5")]
    runner = Runner(programs, pid_folder=tmp_path, cwd=tmp_path, output=output)
    runner.start()
    wait_for(lambda: output.getvalue().count("up") == 2)
    runner.stop()
    byes = [line.split()[0] for line in output.getvalue().splitlines() if line.endswith("bye")]
    assert byes == ["web", "engines"]


def test_program_that_does_not_listen_is_killed_after_the_patience(tmp_path: Path) -> None:
    script = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True);time.sleep(60)"
    )
    output = io.StringIO()
    runner = Runner([program("deaf", script)], pid_folder=tmp_path, cwd=tmp_path, output=output, patience_seconds=0.5)
    runner.start()
    wait_for(lambda: "up" in output.getvalue())
    pid, before = runner.pids["deaf"], time.monotonic()
    runner.stop()
    assert 0.4 < time.monotonic() - before < 5
    assert not is_running(pid)


def test_program_that_cannot_be_run_is_reported_at_the_start(tmp_path: Path) -> None:
    missing = Program(name="missing", argv=(str(tmp_path / "no such program"),))
    runner = Runner([program("web", SLEEPER), missing], pid_folder=tmp_path, cwd=tmp_path, output=io.StringIO())
    with pytest.raises(FileNotFoundError, match="no such program"):
        runner.start()
    assert runner.pids == {}


def test_programs_die_with_a_killed_runner(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("Only Linux tells a process of its parent's death.")
    script = (
        "import sys; from pathlib import Path; from project.runner import Program, Runner;"
        "there = Path(sys.argv[1]);"
        "Runner([Program(name='web', argv=('sleep', '62'))], pid_folder=there, cwd=there).start()"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], cwd=REPOSITORY) as runner:
        wait_for((tmp_path / "web.pid").exists)
        pid = int((tmp_path / "web.pid").read_text())
        assert is_running(pid)
        runner.kill()
    wait_for(lambda: not is_running(pid))


def is_running(pid: int) -> bool:
    return any(process.pid == pid and process.command for process in list_processes())


def wait_for(is_true: Callable[[], bool], *, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
