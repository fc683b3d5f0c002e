"""Pictures that were slow to make, kept in memory: the overview of a slide without a pyramid takes its whole file.

Decides how many bytes a process keeps; refuses to know what a picture shows or who may see it.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

MOST_BYTES = 64 * 1024 * 1024
SLOW_SECONDS = 0.02


class KeptPictures:
    """The most recently used slow pictures by name, up to `most_bytes`; safe among threads."""

    def __init__(self, *, most_bytes: int = MOST_BYTES, slow_seconds: float = SLOW_SECONDS) -> None:
        self._most_bytes = most_bytes
        self._slow_seconds = slow_seconds
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    def get(self, name: str, make: Callable[[], bytes]) -> bytes:
        """The picture of that name; made where it is not kept. The lock is never held while one is made."""
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name]
        start = time.perf_counter()
        picture = make()
        if time.perf_counter() - start >= self._slow_seconds:
            self._keep(name, picture)
        return picture

    def _keep(self, name: str, picture: bytes) -> None:
        with self._lock:
            self._bytes += len(picture) - len(self._kept.get(name, b""))
            self._kept[name] = picture
            while self._bytes > self._most_bytes and self._kept:
                self._bytes -= len(self._kept.popitem(last=False)[1])
