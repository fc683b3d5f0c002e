"""The files of this repository, as git would give them to somebody else."""

import subprocess
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("annotation", "learning", "project", "workers")
_NOT_OURS = {".git", ".venv", "node_modules", "var", "__pycache__"}


@cache
def list_files() -> tuple[Path, ...]:
    """Return tracked files and new ones that git doesn't ignore; without git, all outside ignored folders."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
        found = [REPOSITORY / name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        found = [path for path in REPOSITORY.rglob("*") if path.is_file()]
    ours = [path for path in found if not _NOT_OURS & set(path.relative_to(REPOSITORY).parts)]
    return tuple(sorted(path for path in ours if path.is_file()))


def list_modules(*, packages: tuple[str, ...] = PACKAGES) -> tuple[Path, ...]:
    """Return the Python files of `packages`, without migrations."""
    return tuple(
        path
        for path in list_files()
        if path.suffix == ".py" and path.relative_to(REPOSITORY).parts[0] in packages and "migrations" not in path.parts
    )


@cache
def read_text(path: Path) -> str | None:
    """Return the text of a file, or None where it isn't text."""
    content = path.read_bytes()
    if b"\0" in content:
        return None
    return content.decode("utf-8", errors="replace")


def name_of(path: Path) -> str:
    """Return the path as this repository writes it."""
    return path.relative_to(REPOSITORY).as_posix()
