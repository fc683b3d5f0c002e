"""Exported encoders: how a policy names one, where its file lies, and whether that is the file that was pinned.

Decides the form `onnx:<file>@<sha256>` and the folder; refuses to open a network, which is the workers' part.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from annotation import store

FOLDER = "encoders"
"""In the store. A file there has its name and nothing more: no folders below it."""
PREFIX = "onnx:"
FORM = "onnx:<file>@<sha256>"
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}\.onnx")
_PINNED = re.compile(r"[0-9a-fA-F]{64}")
_PIN = "'manage.py pin_encoder FILE'"


@dataclass(frozen=True, slots=True)
class Exported:
    """A file of the folder and the SHA-256 (hex) that it must have."""

    file: str
    sha256: str

    @property
    def name(self) -> str:
        """As a policy names it."""
        return f"{PREFIX}{self.file}@{self.sha256}"

    @property
    def path(self) -> Path:
        """Where the file ought to lie."""
        return store.root() / stored_name(self.file)


def is_exported(name: str) -> bool:
    """Whether a policy's encoder is meant as an exported one."""
    return name.startswith(PREFIX)


def stored_name(file: str) -> str:
    """The name of an encoder's file inside the store; ValueError where `file` is no plain name."""
    if not _FILE.fullmatch(file):
        raise ValueError(
            f"'{file}' can't be the name of an encoder's file: a name that ends in .onnx, of at most 100 letters, "
            "digits, '.', '-' and '_', without folders"
        )
    return f"{FOLDER}/{file}"


def parse(name: str) -> Exported:
    """What `onnx:<file>@<sha256>` names; ValueError says what is wrong with it."""
    file, _, pin = name.removeprefix(PREFIX).partition("@")
    stored_name(file)
    if not pin:
        raise ValueError(f"'{name}' lacks the SHA-256 of the file ({FORM}): {_PIN} prints it")
    if not _PINNED.fullmatch(pin):
        raise ValueError(f"'{pin}' is no SHA-256 of 64 hexadecimal digits ({FORM}): {_PIN} prints it")
    return Exported(file, pin.lower())


def find_problem(name: str) -> str:
    """Why a policy can't have this exported encoder: a part of a sentence, or nothing."""
    try:
        exported = parse(name)
    except ValueError as error:
        return f"'encoder': {error}"
    where = f"the store's folder '{FOLDER}'"
    path = exported.path
    if path.is_symlink():
        return f"'encoder': '{exported.file}' in {where} is a link: put the file itself there with {_PIN}"
    if not path.is_file():
        return f"'encoder': there is no file '{exported.file}' in {where}: put it there with {_PIN}"
    try:
        stat = path.stat()
        found = _digest(path, stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        return f"'encoder': '{exported.file}' in {where} can't be read ({error.strerror}): see who may read it"
    if found != exported.sha256:
        return (
            f"'encoder': '{exported.file}' in {where} has SHA-256 {found}, not {exported.sha256}: restore the file, or "
            "pin the one that is there"
        )
    return ""


def write_pin(exported: Exported) -> None:
    """Note a file's SHA-256 beside it: set-up offers the files that have one."""
    line = f"{exported.sha256}  {exported.file}\n"
    store.put_bytes(f"{stored_name(exported.file)}.sha256", line.encode())


def offered() -> list[str]:
    """The names of the exported encoders that were put into the store with their pins."""
    found = []
    for path in sorted((store.root() / FOLDER).glob("*.onnx.sha256")):
        file, digest = path.name.removesuffix(".sha256"), path.read_text(encoding="utf-8").partition(" ")[0]
        if _FILE.fullmatch(file) and _PINNED.fullmatch(digest) and path.with_name(file).is_file():
            found.append(Exported(file, digest.lower()).name)
    return found


@lru_cache(maxsize=16)
def _digest(path: Path, size: int, mtime_ns: int) -> str:
    """SHA-256 (hex) of a file that is as large and as old as said: a policy is stored more often than files change."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
