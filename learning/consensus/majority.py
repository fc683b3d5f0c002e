"""Majority vote: the baseline that every other consensus has to beat.

Decides how votes become a posterior and what a tie is; refuses to know how good anybody is.
"""

import numpy as np

from learning.consensus.answers import Answers, Floats, Integers

TIE = -1


def tally(answers: Answers) -> Floats:
    """Return each item's share of votes per class: (I, K), rows sum to one.

    Ties stay ties: equal shares. An item without answers has equal shares throughout.
    """
    votes = answers.count_labels()
    votes[votes.sum(axis=1) == 0] = 1.0
    return np.asarray(votes / votes.sum(axis=1, keepdims=True), dtype=np.float64)


def choose_labels(posterior: Floats) -> Integers:
    """Return the leading class of each row of (I, K), or TIE (-1) where two or more lead together."""
    leading = posterior >= posterior.max(axis=1, keepdims=True)
    return np.where(leading.sum(axis=1) == 1, posterior.argmax(axis=1), TIE).astype(np.int64)
