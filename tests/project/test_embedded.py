"""What the embedded engines give to their users, and what they refuse."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from project import embedded
from project.places import account_name, find_place
from tests.project.accounts import python_for_all, run_as_ordinary


@pytest.fixture(autouse=True, scope="module")
def kept(var: Path) -> None:
    embedded.ensure(var)


@pytest.fixture
def engines(var: Path) -> embedded.Engines:
    return embedded.engine_urls(var)


def test_urls_are_the_same_before_and_after_the_start(engines: embedded.Engines, var: Path) -> None:
    assert engines == embedded.ensure(var)


def test_both_roles_reach_the_database(engines: embedded.Engines) -> None:
    for url, role in ((engines.database_url, "concord_app"), (engines.owner_url, "concord_owner")):
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT current_user, current_database()").fetchone() == (
                role,
                "concord",
            )


def test_application_reads_and_writes_what_the_owner_made_and_owns_nothing(engines: embedded.Engines) -> None:
    with psycopg.connect(engines.owner_url, autocommit=True) as owner:
        owner.execute("CREATE TABLE kept (id serial PRIMARY KEY, word text)")
    with psycopg.connect(engines.database_url, autocommit=True) as app:
        app.execute("INSERT INTO kept (word) VALUES ('one')")
        assert app.execute("SELECT word FROM kept").fetchall() == [("one",)]
        for refused in (
            "TRUNCATE kept",
            "DROP TABLE kept",
            "ALTER TABLE kept DISABLE TRIGGER ALL",
            "CREATE TABLE mine (id int)",
            "CREATE DATABASE mine",
            "SET ROLE concord_owner",
            "SET session_replication_role = replica",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(refused)


def test_neither_role_is_superuser_and_only_the_owner_makes_databases(engines: embedded.Engines) -> None:
    with psycopg.connect(engines.owner_url, autocommit=True) as owner:
        rights = owner.execute(
            "SELECT rolname, rolsuper, rolcreaterole, rolbypassrls, rolcreatedb FROM pg_roles "
            "WHERE rolname IN ('concord_app', 'concord_owner') ORDER BY rolname"
        ).fetchall()
        assert rights == [
            ("concord_app", False, False, False, False),
            ("concord_owner", False, False, False, True),
        ]
        owner.execute("CREATE DATABASE test_of_the_owner")
        # A test database inherits what the application may do, from the template.
        url = engines.owner_url.replace("/concord?", "/test_of_the_owner?")
        with psycopg.connect(url, autocommit=True) as there:
            there.execute("CREATE TABLE kept (id int)")
        with psycopg.connect(url.replace("concord_owner@", "concord_app@")) as app:
            app.execute("INSERT INTO kept VALUES (1)")
        owner.execute("DROP DATABASE test_of_the_owner")


def test_engines_are_set_for_durability(engines: embedded.Engines) -> None:
    with psycopg.connect(engines.database_url) as app:
        for name, value in (
            ("fsync", "on"),
            ("synchronous_commit", "on"),
            ("full_page_writes", "on"),
            ("data_checksums", "on"),
            ("idle_in_transaction_session_timeout", "30s"),
            ("max_connections", "100"),
            ("server_encoding", "UTF8"),
        ):
            assert app.execute(f"SHOW {name}").fetchone() == (value,), name
    with redis.Redis.from_url(engines.redis_url, decode_responses=True) as client:
        expected = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}
        assert {name: client.config_get(name)[name] for name in expected} == expected


def test_nothing_listens_on_the_network(engines: embedded.Engines, var: Path) -> None:
    with psycopg.connect(engines.database_url) as app:
        assert app.execute("SHOW listen_addresses").fetchone() == ("",)
    with redis.Redis.from_url(engines.redis_url, decode_responses=True) as client:
        assert client.config_get("port")["port"] == "0"


def test_sockets_and_data_are_open_to_their_owner_only(var: Path) -> None:
    place = find_place(var)
    for folder in (place.sockets, place.base / "postgresql", place.base / "redis"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
        assert folder.stat().st_uid == place.uid, folder
    sockets = [path for path in place.sockets.iterdir() if path.is_socket()]
    assert len(sockets) == 2
    for path in sockets:
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
    assert not place.base.stat().st_mode & 0o007


def test_another_user_reaches_neither_socket_nor_folder(var: Path, needs_root: None) -> None:
    place = find_place(var)
    for path in (place.sockets / ".s.PGSQL.5432", place.sockets / "redis.sock"):
        script = f"import socket; socket.socket(socket.AF_UNIX).connect({str(path)!r})"
        done = run_as_ordinary([python_for_all(), "-c", script], cwd=Path("/"))
        assert "PermissionError" in done.stderr
        with socket.socket(socket.AF_UNIX) as mine:
            mine.connect(str(path))
    done = run_as_ordinary(["ls", str(place.base)], cwd=Path("/"))
    assert done.returncode != 0


def test_data_of_root_belongs_to_an_id_without_an_account(var: Path, needs_root: None) -> None:
    place = find_place(var)
    assert account_name(place.uid) is None
    owner = Path(f"/proc/{embedded.engine_pids(var)['postgresql']}").stat().st_uid
    assert owner == place.uid != 0


def test_second_start_finds_the_running_engines(var: Path) -> None:
    before = embedded.engine_pids(var)
    embedded.ensure(var)
    assert embedded.engine_pids(var) == before
    assert set(before) == {"keeper", "postgresql", "redis"}


def test_two_folders_run_side_by_side_and_know_nothing_of_each_other(
    engines: embedded.Engines, var: Path, ground: Path
) -> None:
    other_var = ground / "other clone" / "var"
    try:
        other = embedded.ensure(other_var)
        assert not set(embedded.engine_pids(var).values()) & set(embedded.engine_pids(other_var).values())
        with redis.Redis.from_url(other.redis_url) as client:
            client.set("only", "there")
        with redis.Redis.from_url(engines.redis_url) as client:
            assert client.get("only") is None
        with psycopg.connect(other.owner_url) as owner:
            owner.execute("CREATE TABLE only_there (id int)")
        with psycopg.connect(engines.owner_url) as owner:
            assert owner.execute("SELECT to_regclass('only_there')").fetchone() == (None,)
        with pytest.raises(embedded.EngineError, match="are in use"):
            _discard_from_another_process(other_var)
    finally:
        embedded.discard(other_var)
    place = find_place(other_var)
    assert not place.base.exists() and not place.sockets.exists()


def test_a_very_long_path_gets_a_short_private_socket_folder(ground: Path) -> None:
    folder = ground
    for number in range(12):
        folder = folder / f"a folder with a long name, number {number}, and a ü"
    try:
        engines = embedded.ensure(folder)
        place = find_place(folder)
        assert len(str(place.base)) > 400
        assert len(str(place.sockets)) < 60
        assert stat.S_IMODE(place.sockets.stat().st_mode) == 0o700
        with psycopg.connect(engines.database_url) as app:
            assert app.execute("SELECT 1").fetchone() == (1,)
        with redis.Redis.from_url(engines.redis_url) as client:
            assert client.ping()
    finally:
        embedded.discard(folder)
    assert not place.sockets.exists()


def test_an_engine_that_cannot_start_is_reported_with_its_log(ground: Path) -> None:
    folder = ground / "newer"
    data = find_place(folder).base / "postgresql"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("99\n")
    if os.geteuid() == 0:
        data.chmod(0o700)
    with pytest.raises(embedded.EngineError, match=r"written by PostgreSQL 99, and this is 18(.|\n)*DATABASE_URL"):
        embedded.ensure(folder, timeout_seconds=20)
    embedded.discard(folder)


def _discard_from_another_process(folder: Path) -> None:
    command = [sys.executable, "-m", "project.embedded", "discard", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    raise embedded.EngineError(done.stderr)
