"""Where the embedded engines keep their data and sockets, and which account runs them.

Decides folders, owners and modes. Refuses to know how an engine is started, or what is in its files.
"""

from __future__ import annotations

import grp
import hashlib
import os
import pwd
import re
import stat
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent

# macOS ends a socket's name at 103 bytes, Linux at 107.
SOCKET_NAME_LIMIT = 103
LONGEST_SOCKET = ".s.PGSQL.5432"
# Spaces, commas and the like are legal in a path, but not in every client's idea of a socket URL.
PLAIN_PATH = re.compile(r"[A-Za-z0-9._/-]+")
# No distribution hands these user ids out (systemd's table of uids), and user namespaces map them.
SERVICE_UIDS = range(60578, 61184)


class EngineError(Exception):
    """An embedded engine can't be started, or its folder can't be used; the text says what to do."""


@dataclass(frozen=True)
class Place:
    """The folders of one pair of engines. `owner` writes locks and logs, `uid` runs the engines.

    Both are the same ordinary user; or root and a user id without an account, that owns the data only.
    """

    var: Path
    base: Path
    sockets: Path
    owner: int
    uid: int
    gid: int

    @property
    def tag(self) -> str:
        """A short name that no other place has; engines carry it in their process titles."""
        return f"concord-{digest(self.base)}"

    @property
    def log(self) -> Path:
        """The folder of the engines' logs."""
        return self.base / "log"

    @property
    def state(self) -> Path:
        """The file in which the keeper says which processes run."""
        return self.base / "state.json"

    @property
    def keeper_lock(self) -> Path:
        """Held exclusively by the one keeper."""
        return self.base / "keeper.lock"

    @property
    def users_lock(self) -> Path:
        """Held shared by everyone who needs the engines."""
        return self.base / "users.lock"


def digest(path: Path) -> str:
    """Twelve hex digits that stand for a path."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def var_folder() -> Path:
    """This user's folder for everything Concord keeps: CONCORD_VAR, else `var` in the clone.

    Where another user has taken the clone's `var`, or the clone can't be written, it is a folder of one's own
    below the home directory.
    """
    if named := os.environ.get("CONCORD_VAR"):
        return Path(named).resolve()
    shared = REPOSITORY / "var"
    if os.geteuid() == 0 or _is_mine(shared):
        return shared
    return _personal_folder()


def find_place(folder: Path | None = None) -> Place:
    """The place of the engines that belong to a var folder (default: `var_folder()`). Makes nothing."""
    var = (folder or var_folder()).resolve()
    inside = var / "engines"
    if os.geteuid() != 0:
        return _place(var, inside, owner=os.geteuid(), uid=os.geteuid(), gid=os.getegid())
    outside = Path("/var/lib") / f"concord-{digest(var)}"
    for base in (inside, outside):
        status = base.stat() if base.exists() else None
        # Root's folders carry the service's id as their group, so that it can pass but own nothing.
        if status is not None and (uid := status.st_uid or status.st_gid):
            return _place(var, base, owner=status.st_uid, uid=uid, gid=status.st_gid)
    if var.exists() and var.stat().st_uid != 0:
        status = var.stat()
        return _place(var, inside, owner=status.st_uid, uid=status.st_uid, gid=status.st_gid)
    service = _inherited_uid(var) or _service_uid(var)
    base = inside if _can_pass(var.parent, service) else outside
    return _place(var, base, owner=0, uid=service, gid=service)


def prepare(place: Place) -> None:
    """Make the place's folders, private to its owner. EngineError: they belong to someone else."""
    missing = not place.var.exists()
    place.var.mkdir(mode=0o700, parents=True, exist_ok=True)
    if missing and place.owner:
        os.chown(place.var, place.owner, place.gid)
    if place.owner == 0 and place.base.parent == place.var and not _can_enter(place.var, place.uid):
        os.chown(place.var, -1, place.gid)
        place.var.chmod(stat.S_IMODE(place.var.stat().st_mode) | stat.S_IXGRP)
    base_mode = 0o700 if place.owner else 0o710
    make_private(place.base, owner=place.owner, gid=place.gid, mode=base_mode)
    make_private(place.log, owner=place.owner, gid=place.gid)
    make_private(place.sockets, owner=place.uid, gid=place.gid)


def make_private(folder: Path, *, owner: int, gid: int, mode: int = 0o700) -> None:
    """Make a folder, or mend its owner and mode. EngineError: it is another user's, or a link."""
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        pass
    except OSError as error:
        raise EngineError(f"{folder} can't be made: {error.strerror}. Set CONCORD_VAR to a folder of yours.") from error
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise EngineError(_foreign(folder)) from error
    try:
        status = os.fstat(descriptor)
        if status.st_uid not in (owner, os.geteuid()):
            raise EngineError(_foreign(folder))
        if (status.st_uid, status.st_gid) != (owner, gid):
            os.fchown(descriptor, owner, gid)
        if stat.S_IMODE(status.st_mode) != mode:
            os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def can_use(path: Path, uid: int) -> bool:
    """Whether a user id in no group can pass the folders above a file, and read and execute the file."""
    status = path.stat()
    needed = 0o500 if status.st_uid == uid else 0o005
    return _can_pass(path.parent, uid) and status.st_mode & needed == needed


def account_name(uid: int) -> str | None:
    """The name of a user id, or None where no account has it."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _place(var: Path, base: Path, *, owner: int, uid: int, gid: int) -> Place:
    return Place(var=var, base=base, sockets=_socket_folder(base, uid), owner=owner, uid=uid, gid=gid)


def _socket_folder(base: Path, uid: int) -> Path:
    near = base / "sockets"
    if len(os.fsencode(near / LONGEST_SOCKET)) <= SOCKET_NAME_LIMIT and PLAIN_PATH.fullmatch(str(near)):
        return near
    # Not XDG_RUNTIME_DIR: cron, ssh and sudo differ in whether it is set, and all must find the same socket.
    candidates = [Path(root) / f"concord-{uid}-{digest(base)}" for root in ("/tmp", "/var/tmp")]
    # A name in a folder open to all may have been taken by someone else; `make_private` has the last word.
    return next((path for path in candidates if not _is_taken(path, uid)), candidates[0])


def _is_taken(path: Path, uid: int) -> bool:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    return not stat.S_ISDIR(status.st_mode) or status.st_uid not in (uid, 0)


def _is_mine(folder: Path) -> bool:
    if folder.exists():
        return folder.stat().st_uid == os.geteuid()
    return os.access(folder.parent, os.W_OK)


def _personal_folder() -> Path:
    name = f"concord-{digest(REPOSITORY)}"
    state = Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser()
    standing = next(folder for folder in (state, *state.parents) if folder.exists())
    if state.is_absolute() and os.access(standing, os.W_OK):
        return state / name
    return Path("/var/tmp") / f"{name}-{os.geteuid()}"


def _inherited_uid(var: Path) -> int | None:
    """The id that a var folder around this one has opened itself to."""
    for folder in var.parents:
        if folder.exists() and folder.stat().st_uid == 0 and folder.stat().st_gid in SERVICE_UIDS:
            return folder.stat().st_gid
    return None


def _service_uid(var: Path) -> int:
    start = int(digest(var), 16) % len(SERVICE_UIDS)
    for uid in (*SERVICE_UIDS[start:], *SERVICE_UIDS[:start]):
        if account_name(uid) is None and not _is_group(uid):
            return uid
    raise EngineError(
        f"All user ids from {SERVICE_UIDS[0]} to {SERVICE_UIDS[-1]} belong to accounts, so none is left to "
        "run PostgreSQL, which refuses to run as root. Run Concord as an ordinary user, or set DATABASE_URL "
        "and REDIS_URL."
    )


def _is_group(gid: int) -> bool:
    try:
        grp.getgrgid(gid)
    except KeyError:
        return False
    return True


def _can_pass(folder: Path, uid: int) -> bool:
    return all(_can_enter(path, uid) for path in (folder, *folder.parents) if path.exists())


def _can_enter(folder: Path, uid: int) -> bool:
    status = folder.stat()
    if status.st_uid == uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == uid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _foreign(folder: Path) -> str:
    return (
        f"{folder} belongs to another user (or is no folder), so the embedded engines can't use it. "
        "Set CONCORD_VAR to a folder of yours, or DATABASE_URL and REDIS_URL to engines that run elsewhere."
    )
