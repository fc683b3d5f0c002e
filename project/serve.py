"""All of Concord on this machine: the programs of `make serve` and of the demo.

Decides which programs run and on which port. Refuses to know how they are supervised (`project.runner`).
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
from pathlib import Path
from typing import TextIO

from project import embedded
from project.places import REPOSITORY, find_place, make_private, var_folder
from project.runner import Program, Runner

DEFAULT_PORT = 8000
PORTS_TRIED = 50


def uses_embedded() -> bool:
    """Whether an engine's URL is missing from the environment, so that the embedded engines are needed."""
    return not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"))


def open_listener(*, port: int | None = None) -> socket.socket:
    """Listen on HOST (default 127.0.0.1) at PORT (default 8000), or at the next port that is free.

    The runner keeps the socket and lends it to the web server: while that restarts, nobody takes the port
    and clients wait in line. Raises OSError where no port is free.
    """
    host = os.environ.get("HOST", "127.0.0.1")
    first = port if port is not None else int(os.environ.get("PORT") or DEFAULT_PORT)
    for candidate in range(first, min(first + PORTS_TRIED, 65536)):
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen(2048)
            return listener
        except OSError as error:
            listener.close()
            print(f"Port {candidate} of {host} can't be used ({error.strerror}); trying the next.", flush=True)
    raise OSError(f"No port of {host} from {first} on is free. Set PORT to one that is.")


def programs(*, listener: socket.socket, var: Path) -> list[Program]:
    """The programs in the order in which they start. `var`: the folder of the engines."""
    celery = (sys.executable, "-m", "celery", "--quiet", "-A", "project")
    worker = (*celery, "worker", "--loglevel", "INFO", "--without-gossip", "--without-mingle")
    # A worker whose runner was killed drops its task instead of finishing it: the row sends it again.
    dies_by = signal.SIGQUIT
    # A person thinks for some seconds between two requests; a connection closed meanwhile costs a repeat.
    keep = ("--keep-alive", "30", "--no-control-socket")
    web = ("--bind", f"fd://{listener.fileno()}", "--workers", "2", "--threads", "4", *keep)
    engines = Program(
        name="engines",
        argv=(sys.executable, "-m", "project.keeper", "--stay", str(var)),
        stops_last=True,
    )
    return [
        *([engines] if uses_embedded() else []),
        Program(
            name="web",
            argv=(sys.executable, "-m", "gunicorn", "project.wsgi", *web),
            pass_fds=(listener.fileno(),),
        ),
        Program(name="workers", argv=(*worker, "-Q", "io,cpu", "-c", "2", "-n", "cpu@%h"), death_signal=dies_by),
        Program(name="trainer", argv=(*worker, "-Q", "train", "-c", "1", "-n", "train@%h"), death_signal=dies_by),
        # Whoever clicks or waits for the next batch comes before a network that learns for minutes.
        Program(
            name="encoder",
            argv=(*worker, "-Q", "encoder", "-c", "1", "-n", "encoder@%h"),
            death_signal=dies_by,
            niceness=10,
        ),
        # Kept in memory: everything in it comes round in seconds, and a file could be torn by a kill.
        Program(name="beat", argv=(*celery, "beat", "-S", "celery.beat:Scheduler", "--pidfile", "")),
        Program(name="sweep", argv=(sys.executable, str(REPOSITORY / "manage.py"), "sweep")),
    ]


def url(listener: socket.socket) -> str:
    """Where a browser finds the site."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/"


class Site:
    """Everything that `make serve` runs, started: the engines, the listening socket and the runner."""

    def __init__(self, *, output: TextIO | None = None, port: int | None = None) -> None:
        """Start it all; labelled lines go to `output` (default: the terminal).

        Raises EngineError where the engines can't be started, OSError where no port is free.
        """
        var = var_folder()
        if uses_embedded():
            embedded.ensure()
        place = find_place(var)
        var.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_private(var / "run", owner=place.owner, gid=place.gid)
        (var / "static").mkdir(exist_ok=True)  # files come from the apps; without the folder each start warns
        self._listener = open_listener(port=port)
        self.url = url(self._listener)
        self.runner = Runner(
            programs(listener=self._listener, var=var), pid_folder=var / "run", cwd=REPOSITORY, output=output
        )
        self.runner.start()

    def close(self) -> None:
        """Stop the programs, then the engines unless somebody else uses them."""
        self.runner.stop()
        self._listener.close()
        if uses_embedded():
            embedded.release()


def main() -> int:
    """Run everything until Ctrl-C or SIGTERM; a second one stops without patience."""
    argparse.ArgumentParser(prog="python -m project.serve", description=__doc__).parse_args()
    try:
        site = Site()
    except (embedded.EngineError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    asked: list[int] = []

    def end(number: int, _frame: object) -> None:
        asked.append(number)
        if len(asked) > 1:
            site.runner.hurry()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    print(f"Concord is at {site.url} (Ctrl-C stops everything).", flush=True)
    while not asked and not site.runner.wait(0.2):
        pass
    print("Stopping.", flush=True)
    site.close()
    return 0 if asked else 1


if __name__ == "__main__":
    sys.exit(main())
