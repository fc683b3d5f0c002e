"""From answers to ground truth: what stands (`belief`), what follows (`settlement`), what is written (`revisions`).

Everything that changes what a region is held to be goes through these three; who works on it is `services.queue`.
"""

from annotation.services.truth.belief import (
    EVIDENCE_KINDS,
    Belief,
    Opinion,
    believe,
    class_codes,
    effective,
    expectations,
    latest_snapshot,
    opinions_on,
)
from annotation.services.truth.revisions import (
    LIVE_PICKS,
    close,
    decide,
    lock_regions,
    parse_answer,
    reopen,
    revise,
    write_all,
)
from annotation.services.truth.settlement import count_unused, escalate, settle, settle_anew

__all__ = [
    "EVIDENCE_KINDS",
    "LIVE_PICKS",
    "Belief",
    "Opinion",
    "believe",
    "class_codes",
    "close",
    "count_unused",
    "decide",
    "effective",
    "escalate",
    "expectations",
    "latest_snapshot",
    "lock_regions",
    "opinions_on",
    "parse_answer",
    "reopen",
    "revise",
    "settle",
    "settle_anew",
    "write_all",
]
