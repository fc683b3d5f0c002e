"""A release's folder as one tar file, made while it is sent: no second copy, the same bytes each time.

Decides order and headers; refuses to know who asked. The folder in it bears the release's digest, so that what comes
out can be verified as it is.
"""

import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

_BLOCK = tarfile.BLOCKSIZE
_READ_BYTES = 1 << 20
_END = bytes(2 * _BLOCK)


def size_of(held: Mapping[str, Path]) -> int:
    """Bytes of the archive of these files."""
    return sum(_BLOCK + _padded(path.stat().st_size) for path in held.values()) + len(_END)


def stream(held: Mapping[str, Path], *, name: str) -> Iterator[bytes]:
    """The archive in parts: the files (name -> path) under the folder `name`, without owner and time."""
    for inside, path in sorted(held.items()):
        size = path.stat().st_size
        header = tarfile.TarInfo(f"{name}/{inside}")
        header.size, header.mode, header.mtime = size, 0o644, 0
        yield header.tobuf(tarfile.USTAR_FORMAT)
        with path.open("rb") as file:
            while part := file.read(_READ_BYTES):
                yield part
        yield bytes(_padded(size) - size)
    yield _END


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK
