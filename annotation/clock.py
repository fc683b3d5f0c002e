"""The time. The database's clock decides leases; a lockstep simulation runs in virtual time.

Decides what "now" is for services; refuses the clock of the machine the web process runs on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta

from django.db import connection

_virtual: ContextVar[datetime | None] = ContextVar("virtual_now", default=None)


def now() -> datetime:
    """The moment by the database's clock (aware, UTC), or the virtual moment in a lockstep simulation."""
    virtual = _virtual.get()
    if virtual is not None:
        return virtual
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def is_virtual() -> bool:
    """Whether this runs in the virtual time of a lockstep simulation."""
    return _virtual.get() is not None


@contextmanager
def virtual(start: datetime) -> Iterator[None]:
    """Run the block in virtual time that moves only by `advance`."""
    token = _virtual.set(start)
    try:
        yield
    finally:
        _virtual.reset(token)


def advance(step: timedelta) -> datetime:
    """Move virtual time on; RuntimeError outside `virtual`."""
    current = _virtual.get()
    if current is None:
        raise RuntimeError("Only virtual time can be advanced: wrap the block in clock.virtual(start).")
    _virtual.set(current + step)
    return current + step
