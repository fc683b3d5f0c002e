"""The embedded Redis: its data folder and settings.

Decides all that is Redis' own. Refuses to know when it is started, and what is queued in it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from pathlib import Path

from project.binaries import Binaries
from project.places import Place, make_private
from project.processes import mentions, stop_leftovers


class Redis:
    """What the keeper needs to run Redis at a place."""

    name = "redis"
    stop_signals: tuple[signal.Signals, ...] = (signal.SIGTERM,)
    death_signal: signal.Signals = signal.SIGTERM

    def __init__(self, *, place: Place, binaries: Binaries) -> None:
        self.place = place
        self.binaries = binaries
        self.data = place.base / "redis"
        self.socket = socket_path(place)

    def prepare(self) -> None:
        """Make the data folder (someone may have deleted it), stop what an earlier keeper left behind."""
        make_private(self.data, owner=self.place.uid, gid=self.place.gid)
        # Redis puts the socket's name into its process title, so this finds it by either command line.
        name = os.fsencode(self.socket)
        stop_leftovers(
            uid=self.place.uid,
            is_ours=lambda command: mentions(command, b"redis-server") and mentions(command, name),
            signals=(signal.SIGTERM, signal.SIGKILL),
            patience_seconds=5,
        )

    def command(self) -> list[str]:
        """The command line of the server, in the foreground, no TCP port."""
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        words = [word for name, value in settings.items() for word in (f"--{name}", value)]
        # The data folder is the working directory: its name may hold what Redis' own parser would split.
        return [str(self.binaries.redis_server), *words]

    def answers(self) -> bool:
        """Whether the server has read its data and takes commands."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            client.connect(str(self.socket))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
        return False

    def set_aside(self) -> str | None:
        """Move unreadable data away. Nothing is lost: messages are nudges, the truth is in rows."""
        if not self.data.exists():
            return None
        aside = self.data.with_name(f"redis.unreadable.{int(time.time())}")
        self.data.rename(aside)
        return f"Redis can't read its data; it is kept in {aside}, and an empty one is started."


def socket_path(place: Place) -> Path:
    """The socket of the Redis at a place."""
    return place.sockets / "redis.sock"
