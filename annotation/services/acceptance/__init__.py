"""Acceptance samples: random regions of a pass, answered blind again by several people, to measure what is still wrong.

Decides by rows of its own, beside picks: what is answered here is no evidence for the truth. Refuses to correct it:
a wrong label becomes a finding of the next pass.
"""

from annotation.services.acceptance.sampling import abandon, draw
from annotation.services.acceptance.serving import count_left, find_open, take
from annotation.services.acceptance.verdicts import close_finished, close_stuck, estimate, is_of_sample, review

__all__ = [
    "abandon",
    "close_finished",
    "close_stuck",
    "count_left",
    "draw",
    "estimate",
    "find_open",
    "is_of_sample",
    "review",
    "take",
]
