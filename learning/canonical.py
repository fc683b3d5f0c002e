"""One way to write a value as JSON bytes, so that a digest of it means something.

Decides the canonical form: sorted keys, no spaces, no NaN. Refuses to know what is written.
"""

import hashlib
import json
from typing import Any


def encode_json(value: Any) -> bytes:
    """Canonical UTF-8 JSON of a value; raises ValueError for NaN and infinities."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def compute_digest(value: Any) -> str:
    """SHA-256 (hex) of the canonical JSON."""
    return hashlib.sha256(encode_json(value)).hexdigest()
