"""The secret key that signs sessions: made on first run, kept in the var folder, readable by its owner only.

Decides where it comes from. Refuses to know what is signed with it.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

from project.places import var_folder

KEY_BYTES = 64


def secret_key(folder: Path | None = None) -> str:
    """The key: SECRET_KEY of the environment, else the one in the var folder, made where there is none.

    Processes that ask at the same moment get the same key. Raises ValueError where the file is empty.
    """
    if named := os.environ.get("SECRET_KEY"):
        return named
    path = (folder or var_folder()) / "secret-key"
    if not path.exists():
        _make(path)
    key = path.read_text().strip()
    if not key:
        raise ValueError(f"{path} is empty; delete it, and the next start makes a new key (people log in again).")
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=".secret-key-")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
            # Root in a user's folder leaves the user able to go on.
            os.fchown(file.fileno(), path.parent.stat().st_uid, -1)
        # A link, unlike a rename, leaves the key of a process that was quicker.
        os.link(unfinished, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(unfinished)
