"""Write-once shards of features: one .npy file of float16 rows, its SHA-256 in a file beside it.

Decides how a shard gets its name only when it is whole. Refuses to know which regions the rows are.
"""

import hashlib
import os
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class ShardError(Exception):
    """A shard is missing, damaged, or would be overwritten by different content."""


def write_shard(path: Path, features: NDArray[np.floating]) -> str:
    """Store (N, D) features as float16 under `path`; returns the SHA-256 (hex) of the file.

    The file appears under its name whole or not at all, also when power fails. Writing the same
    content again changes nothing; different content raises ShardError, because a shard is never replaced.
    """
    with np.errstate(over="ignore"):
        content = np.ascontiguousarray(features, dtype=np.float16)
    if content.ndim != 2 or not np.isfinite(content).all():
        raise ShardError(
            f"{path}: a shard holds finite numbers of shape (N, D), not {features.shape}. Check the encoder."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, draft = _write_draft(path, content)
    try:
        os.link(draft, path)
    except FileExistsError:
        if compute_digest(path) != digest:
            raise ShardError(
                f"{path}: a shard with different content exists already. Shards are written once; "
                "give the new content its own name (tiling digest, encoder digest)."
            ) from None
    finally:
        draft.unlink()
    _write_checksum(path, digest)
    _sync_folder(path.parent)
    return digest


def open_shard(path: Path, *, verify: bool = False) -> np.memmap:
    """Map a shard into memory read-only, (N, D) float16.

    With `verify` the whole file is read and compared with its checksum. Raises ShardError.
    """
    if not path.is_file():
        raise ShardError(f"{path}: there is no such shard. Encode the slide again.")
    try:
        shard = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ShardError(f"{path}: not a readable shard ({error}). Delete it and encode the slide again.") from error
    if shard.dtype != np.float16 or shard.ndim != 2:
        raise ShardError(
            f"{path}: holds {shard.dtype} of shape {shard.shape}, not float16 rows. Encode the slide again."
        )
    if verify:
        verify_shard(path)
    result: np.memmap = shard
    return result


def verify_shard(path: Path) -> str:
    """Compare a shard with its checksum file and return the SHA-256 (hex); raises ShardError."""
    checksum = _locate_checksum(path)
    expected = checksum.read_text().split()[0] if checksum.is_file() else ""
    found = compute_digest(path)
    if found != expected:
        raise ShardError(
            f"{path}: SHA-256 is {found}, but {checksum.name} says {expected or 'nothing'}. "
            "The file was damaged or changed; delete both and encode the slide again."
        )
    return found


def compute_digest(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_draft(path: Path, content: NDArray[np.float16]) -> tuple[str, Path]:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".draft")
    try:
        with os.fdopen(handle, "wb") as file:
            np.save(file, content, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o644)
    except BaseException:
        os.unlink(name)
        raise
    return compute_digest(Path(name)), Path(name)


def _write_checksum(path: Path, digest: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".draft")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(f"{digest}  {path.name}\n")
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o644)
        os.replace(name, _locate_checksum(path))
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _locate_checksum(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
