"""One byte form for every value that is hashed: sorted keys, no spaces, UTF-8, no NaN.

Decides what two equal values look like; refuses values that have no single form.
"""

import hashlib
import json
from typing import Any


def dumps(value: Any) -> str:
    """Canonical JSON text of `value`; ValueError for NaN and infinities, TypeError for unknown types."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any) -> str:
    """SHA-256 (hex) of the canonical form."""
    return hashlib.sha256(dumps(value).encode()).hexdigest()


def rounded(value: float, places: int = 9) -> float:
    """A float as it enters a digest: the same on every machine that agrees to `places` decimals."""
    return round(float(value), places) + 0.0
