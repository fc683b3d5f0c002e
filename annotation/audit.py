"""Which cases are the audit sample, and which half of it they are.

Decides by a hash of case and study seed, so that late slides join by themselves; refuses to know rows.
"""

import hashlib

from annotation.states import AuditHalf


def half_of(*, seed: int, case_code: str, rate: float) -> AuditHalf:
    """The audit half of a case, or NONE for the share 1 - `rate` outside the sample."""
    digest = hashlib.sha256(f"audit\x1f{seed}\x1f{case_code}".encode()).digest()
    if int.from_bytes(digest[:8], "big") >= rate * 2**64:
        return AuditHalf.NONE
    return AuditHalf.GATE if digest[8] & 1 else AuditHalf.REPORT
