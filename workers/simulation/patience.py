"""Waiting for a database that was killed and is being started again.

Decides how long that may take; refuses to retry anything but a lost connection.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

Result = TypeVar("Result")

PATIENCE_SECONDS = 90.0
PAUSE_SECONDS = 0.3


def patiently(call: Callable[[], Result], *, seconds: float = PATIENCE_SECONDS) -> Result:
    """The result of `call`, asked again over a fresh connection while the database is away."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return call()
        except (OperationalError, InterfaceError):
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_SECONDS)
