"""What was estimated over some classes, said over the classes that follow them.

Decides how probabilities and confusion matrices fold where classes are renamed, merged or split; refuses to know why
they were. A class (of K before) goes on into some of the classes after (L), by the shares of a row of `shares` (K, L).
"""

import numpy as np

from learning.consensus.answers import Floats
from learning.consensus.priors import default_confusion, normalise_rows


def recode_shares(values: Floats, *, shares: Floats) -> Floats:
    """Return probabilities (..., K) over the classes after: (..., L). What goes nowhere is shared out among the rest.

    Where nothing goes anywhere, all classes are alike.
    """
    return normalise_rows(np.asarray(values, dtype=np.float64) @ shares)


def recode_prior(prior: Floats, *, shares: Floats) -> Floats:
    """Return the shares of classes (L,) from (K,). A class that nothing goes to gets that of the rarest other one:
    rare until it was seen."""
    folded = np.asarray(prior, dtype=np.float64) @ shares
    reached = shares.sum(axis=0) > 0
    folded[~reached] = folded[reached].min() if reached.any() else 1.0
    return normalise_rows(folded)


def recode_confusion(confusion: Floats, *, prior: Floats, shares: Floats, exact: Floats) -> Floats:
    """Return a confusion matrix (L, L) from (K, K), row = truth, column = answer.

    Rows are known where a class goes on exactly (`exact` (K, L), of zeros and ones): mixed by `prior` (K,) where
    several merge. Of every other class after nothing is known of the annotator, so its row is that of somebody unknown.
    Columns follow `shares`: who answered a class that was split would now answer any of its parts.
    """
    weights = np.asarray(prior, dtype=np.float64)[:, None] * exact
    known = weights.sum(axis=0) > 0
    mixed = normalise_rows(weights.T) @ recode_shares(confusion, shares=shares)
    unknown = default_confusion(exact.shape[1])
    result: Floats = np.where(known[:, None], mixed, unknown)
    return result
