"""Where slide files lie: under their checksum, written once.

Decides names and that a file appears whole or not at all; refuses to know who asked for it. Other files
of the store (features, models, releases) are named by those who write them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from django.conf import settings

from annotation.errors import BadInput

if TYPE_CHECKING:
    from annotation.models import Slide, StagedSlide

# A list, not a pattern: what stands behind the last dot of a file's name may be a person's.
SUFFIXES = frozenset(".tif .tiff .svs .ndpi .scn .bif .svslide .png .jpg .jpeg .bmp".split())
ARRIVALS = "arrivals"
_BLOCK_BYTES = 1 << 20
_BROKEN_AFTER_SECONDS = 86_400


def root() -> Path:
    """The store's folder."""
    return Path(settings.STORE)


def slide_path(slide: Slide | StagedSlide) -> Path:
    """The file of `slide`."""
    return root() / slide.stored_name


def slide_name(*, checksum: str, suffix: str) -> str:
    """The name of a slide inside the store: the checksum, and the suffix of a format of slides."""
    kept = suffix.lower() if suffix.lower() in SUFFIXES else ""
    return f"slides/{checksum[:2]}/{checksum}{kept}"


def put_slide(source: Path, *, checksum: str) -> str:
    """Copy `source` into the store and return its name there; nothing is written where it is there already.

    BadInput where the bytes are no longer those of `checksum`.
    """
    name = slide_name(checksum=checksum, suffix=source.suffix)
    target = root() / name
    if target.is_file() and target.stat().st_size == source.stat().st_size:
        return name
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".part-", delete=False) as part:
        try:
            written = _copy(source, part.fileno())
            if written != checksum:
                raise BadInput(f"{source.name} changed while it was imported. Import again when nothing writes to it.")
            os.chmod(part.name, 0o600)
            os.replace(part.name, target)
        except BaseException:
            os.unlink(part.name)
            raise
    _sync_folder(target.parent)
    return name


def _copy(source: Path, descriptor: int) -> str:
    digest = hashlib.sha256()
    with source.open("rb") as stream, open(descriptor, "wb", closefd=False) as target:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
            target.write(block)
        target.flush()
        os.fsync(descriptor)
    return digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    """Make the rename last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put_bytes(name: str, content: bytes) -> Path:
    """Write a file of the store under `name`, whole or not at all; where it is now. What was there is replaced."""
    target = root() / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".part-", delete=False) as part:
        try:
            part.write(content)
            part.flush()
            os.fsync(part.fileno())
            os.chmod(part.name, 0o600)
            os.replace(part.name, target)
        except BaseException:
            os.unlink(part.name)
            raise
    _sync_folder(target.parent)
    return target


def receive(stream: BinaryIO, *, suffix: str, most_bytes: int) -> tuple[Path, str]:
    """Write an upload into the store's folder of arrivals; where it is now, and its SHA-256.

    BadInput where it is larger than `most_bytes` or nothing came. The caller moves it on by `adopt`, or removes it.
    """
    folder = root() / ARRIVALS
    folder.mkdir(parents=True, exist_ok=True)
    _forget_broken(folder)
    digest, size = hashlib.sha256(), 0
    # The suffix tells readers the format; only those of the list are kept.
    kept = suffix.lower() if suffix.lower() in SUFFIXES else ""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".part-", suffix=kept, delete=False) as part:
        try:
            while block := stream.read(_BLOCK_BYTES):
                size += len(block)
                if size > most_bytes:
                    raise BadInput(f"The file is larger than {say_size(most_bytes)}, the most that may be uploaded.")
                digest.update(block)
                part.write(block)
            if not size:
                raise BadInput("The file is empty. Copy it again from the scanner.")
            part.flush()
            os.fsync(part.fileno())
        except BaseException:
            os.unlink(part.name)
            raise
    return Path(part.name), digest.hexdigest()


def _forget_broken(folder: Path) -> None:
    """Remove what processes that were killed have left behind."""
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _BROKEN_AFTER_SECONDS:
                path.unlink()


def adopt(path: Path, *, checksum: str) -> str:
    """Give a file of the arrivals its lasting name in the store; that name."""
    name = slide_name(checksum=checksum, suffix=path.suffix)
    target = root() / name
    target.parent.mkdir(parents=True, exist_ok=True)
    os.chmod(path, 0o600)
    os.replace(path, target)
    _sync_folder(target.parent)
    return name


def discard(name: str) -> None:
    """Remove a slide's file that no row names any more; harmless where it is gone."""
    (root() / name).unlink(missing_ok=True)


def free_bytes() -> int:
    """How much the store's disk still takes."""
    root().mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(root()).free


def say_size(size: int) -> str:
    """A number of bytes for people: "1.5 GiB"."""
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} bytes"
