"""Draws that repeat: a number fixed by the study's seed and what it is drawn for, whatever the order of asking.

Decides the number; refuses to know what a share of them is used for.
"""

import hashlib


def uniform(*parts: object) -> float:
    """A number in [0, 1) that depends on `parts` alone."""
    text = ":".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
