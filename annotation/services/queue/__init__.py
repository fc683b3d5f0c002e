"""The queue: who holds which region, for how long, and what he or she answers.

Decides by leases and tokens; refuses to know how regions are chosen (`picks`) and what their truth is (`truth`).
A lease is a hint; safety is the token, checked in the transaction of every write.
"""

from annotation.services.queue.answering import submit, undo
from annotation.services.queue.claiming import claim, claim_batch, count_left
from annotation.services.queue.entering import save as save_entered
from annotation.services.queue.leases import expire, release, release_batch, renew, renew_batch, skip

__all__ = [
    "claim",
    "claim_batch",
    "count_left",
    "expire",
    "release",
    "release_batch",
    "renew",
    "renew_batch",
    "save_entered",
    "skip",
    "submit",
    "undo",
]
