"""The embedded PostgreSQL: its data folder, settings, who may connect, roles and database.

Decides all that is PostgreSQL's own. Refuses to know when it is started or restarted: that is the keeper's.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from project.binaries import Binaries
from project.places import EngineError, Place, account_name
from project.postgres_names import APP_ROLE, DATABASE, OWNER_ROLE, PORT, SUPER_ROLE
from project.processes import die_with_parent, mentions, stop_leftovers

MAJOR_VERSION = "18"
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(PORT),
    "max_connections": "100",
    # An acknowledged answer is on the disk; a client that hangs in a transaction lets go after 30 s.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "idle_in_transaction_session_timeout": "30s",
    "logging_collector": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres:
    """What the keeper needs to run PostgreSQL at a place."""

    name = "postgresql"
    stop_signals: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGQUIT)
    # Should the keeper be killed, the kernel asks for a fast and clean shutdown.
    death_signal: signal.Signals = signal.SIGINT

    def __init__(self, *, place: Place, binaries: Binaries) -> None:
        self.place = place
        self.binaries = binaries
        self.data = place.base / "postgresql"
        self.socket = place.sockets / f".s.PGSQL.{PORT}"
        self._has_roles = False

    def prepare(self) -> None:
        """Make the data folder where there is none, and clear what a crash has left in the way."""
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        version = (self.data / "PG_VERSION").read_text().strip()
        if version != MAJOR_VERSION:
            raise EngineError(
                f"{self.data} was written by PostgreSQL {version}, and this is {MAJOR_VERSION}. Dump it "
                "with the older release of Concord, move the folder away, and restore the dump."
            )
        self._clear_leftovers()
        self._write_access_rules()

    def command(self) -> list[str]:
        """The command line of the server, in the foreground."""
        settings = {
            **SETTINGS,
            "unix_socket_directories": f'"{self.place.sockets}"',
            "hba_file": str(self._hba),
            "ident_file": str(self._ident),
            "cluster_name": self.place.tag,
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self.binaries.postgres), "-D", str(self.data), *options]

    def answers(self) -> bool:
        """Whether the server takes connections; the first time, also makes the roles and the database."""
        try:
            with _connect(self.place, "postgres") as connection:
                if not self._has_roles:
                    _make_owner_and_database(connection)
            if not self._has_roles:
                for database in ("template1", DATABASE):
                    with _connect(self.place, database) as connection:
                        _grant_to_app(connection)
                self._has_roles = True
        except psycopg.OperationalError:
            return False
        return True

    def set_aside(self) -> str | None:
        """The truth is never set aside: a server that doesn't start is a matter for a person."""
        return None

    @property
    def _hba(self) -> Path:
        return self.place.base / "pg_hba.conf"

    @property
    def _ident(self) -> Path:
        return self.place.base / "pg_ident.conf"

    def _initialise(self) -> None:
        place = self.place
        unfinished = place.base / "postgresql.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        uid = _initdb_uid(place)
        os.chown(unfinished, uid, place.gid)
        words = ["--username", SUPER_ROLE, "--auth=peer", "--encoding=UTF8", "--locale=C"]
        words += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if sys.platform == "linux":
            words.append("--sync-method=syncfs")
        is_root = os.geteuid() == 0
        done = subprocess.run(
            [str(self.binaries.initdb), "-D", str(unfinished), *words],
            cwd=unfinished,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=die_with_parent(signal.SIGKILL),
            user=uid if is_root else None,
            group=place.gid if is_root else None,
            extra_groups=() if is_root else None,
        )
        if done.returncode:
            raise EngineError(f"PostgreSQL's data folder {self.data} can't be made. initdb says: {done.stderr.strip()}")
        for path in (unfinished, *unfinished.rglob("*")):
            os.chown(path, place.uid, place.gid, follow_symlinks=False)
        unfinished.rename(self.data)

    def _clear_leftovers(self) -> None:
        """Stop what still runs on this data, then remove the files by which it would still seem to run.

        PostgreSQL trusts the pid in its lock files; that pid may be another program's by now, or missing.
        The files may go only after every process of the old server has: they share its memory.
        """
        folder, title = b"-D\0" + os.fsencode(self.data) + b"\0", f"postgres: {self.place.tag}: ".encode()
        stop_leftovers(
            uid=self.place.uid,
            is_ours=lambda command: mentions(command, folder) or command.startswith(title),
            signals=(signal.SIGINT, signal.SIGQUIT, signal.SIGKILL),
            patience_seconds=10,
        )
        for path in (self.data / "postmaster.pid", self.socket, Path(f"{self.socket}.lock")):
            path.unlink(missing_ok=True)

    def _write_access_rules(self) -> None:
        accounts = sorted({name for uid in (0, self.place.uid) if (name := account_name(uid))})
        roles = (SUPER_ROLE, OWNER_ROLE, APP_ROLE)
        lines = [f'concord "{account}" {role}' for account in accounts for role in roles]
        self._write(self._hba, "local all all peer map=concord\n")
        self._write(self._ident, "".join(f"{line}\n" for line in lines))

    def _write(self, path: Path, text: str) -> None:
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(text)
        os.chown(unfinished, self.place.owner, self.place.gid)
        unfinished.chmod(0o640)
        unfinished.rename(path)


def _connect(place: Place, database: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=str(place.sockets),
        port=PORT,
        user=SUPER_ROLE,
        dbname=database,
        autocommit=True,
        connect_timeout=5,
    )


def _initdb_uid(place: Place) -> int:
    """The user id for initdb, which unlike the server insists on an account: it borrows one for a moment.

    Other processes of that account can't reach the folder: only `place.gid` may pass its parent.
    """
    if account_name(place.uid):
        return place.uid
    if os.geteuid() != 0:
        raise EngineError(
            f"The user id {place.uid} has no account (no line in /etc/passwd), and PostgreSQL knows its "
            "users by their names. Give it an account, or set DATABASE_URL and REDIS_URL."
        )
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("nobody").pw_uid
    return next(entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid)


def _make_owner_and_database(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    owner, database = sql.Identifier(OWNER_ROLE), sql.Identifier(DATABASE)
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER_ROLE]).fetchone():
        # CREATEDB, because the tests make databases of their own.
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(owner))
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APP_ROLE]).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(APP_ROLE)))
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, owner))


def _grant_to_app(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """The application may read and write what the owner makes in `public`, not alter or truncate it."""
    default = "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT {rights} TO {app}"
    for rights in ("SELECT, INSERT, UPDATE, DELETE ON TABLES", "USAGE, SELECT ON SEQUENCES"):
        connection.execute(
            sql.SQL(default).format(
                owner=sql.Identifier(OWNER_ROLE), app=sql.Identifier(APP_ROLE), rights=sql.SQL(rights)
            )
        )
