"""Counts that take long, kept by the process for some seconds, so that a page that is watched costs little.

Decides how old a count may be: as old as the ledger has stood still, else three seconds, or twenty times what it took
to count (so that it takes a twentieth of one thread at most, however large the study). Kept by each web process, not
in Redis: nothing has to be emptied, and a dashboard works when Redis is away. Refuses to know what is counted.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

FRESH_SECONDS = 3.0
TIMES_ITS_COST = 20.0
MOST_ENTRIES = 500


@dataclass(slots=True)
class _Entry:
    lock: threading.Lock = field(default_factory=threading.Lock)
    value: Any = None
    made_at: datetime | None = None
    position: Hashable = None
    fresh_until: float = 0.0

    def holds(self, position: Hashable, *, at: float) -> bool:
        if self.made_at is None:
            return False
        return position is not None and position == self.position or at < self.fresh_until


class KeptCounts:
    """Values by key, newest use last; one thread counts, others take what was kept before, if anything was."""

    def __init__(self, *, tell_seconds: Callable[[], float] = time.monotonic) -> None:
        self._tell_seconds = tell_seconds
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Any], *, position: Hashable = None) -> tuple[Any, datetime]:
        """The value of `key` and the moment it is true of; made where none is kept that may still be shown.

        `position`: where it is the same as when the value was made, the value is still true.
        """
        entry = self._entry(key)
        if not entry.holds(position, at=self._tell_seconds()) and entry.lock.acquire(blocking=entry.made_at is None):
            try:
                if not entry.holds(position, at=self._tell_seconds()):
                    self._make(entry, make, position)
            finally:
                entry.lock.release()
        assert entry.made_at is not None
        still_true = position is not None and position == entry.position
        return entry.value, timezone.now() if still_true else entry.made_at

    def forget(self) -> None:
        """Keep nothing any more."""
        with self._lock:
            self._entries.clear()

    def _entry(self, key: Hashable) -> _Entry:
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            while len(self._entries) > MOST_ENTRIES:
                self._entries.popitem(last=False)
            return entry

    def _make(self, entry: _Entry, make: Callable[[], Any], position: Hashable) -> None:
        began, made_at = self._tell_seconds(), timezone.now()
        entry.value = make()
        took = self._tell_seconds() - began
        entry.made_at, entry.position = made_at, position
        entry.fresh_until = self._tell_seconds() + max(FRESH_SECONDS, TIMES_ITS_COST * took)


counts = KeptCounts()
