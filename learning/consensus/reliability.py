"""How far an annotator can be trusted, with the uncertainty of saying so.

Decides intervals of each cell of a confusion matrix; refuses to know what follows from it. Feed it answers from audit
regions and the random share: what adaptive overlap collects is only the hard part.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from learning.consensus.answers import Floats
from learning.consensus.priors import Priors


@dataclass(frozen=True, slots=True)
class Bounds:
    """Chances with credible bounds: (J, K, K) for P(answer = column | truth = row), (J, K) for its diagonal."""

    mean: Floats
    low: Floats
    high: Floats


def bound_cells(counts: Floats, *, priors: Priors, level: float = 0.95) -> Bounds:
    """Return equal-tailed intervals of each cell from expected counts (J, K, K) (`dawid_skene.count_confusions`).

    The marginal of a Dirichlet is a Beta: the cell's answers plus pseudo-counts against those of the rest of its row.
    Its mean is what a fit under the same priors reports. ValueError where the priors are zero: no answers would then
    mean no distribution.
    """
    class_count = counts.shape[-1]
    if priors.diagonal <= 0 or (priors.off_diagonal <= 0 and class_count > 1):
        raise ValueError("Intervals need pseudo-counts above zero, or somebody without answers has none.")
    if not 0 < level < 1:
        raise ValueError(f"A level of {level} is no share between 0 and 1.")
    alpha = counts + priors.confusion_counts(class_count)
    if class_count == 1:
        whole = np.ones_like(alpha)
        return Bounds(whole, whole, whole)
    rest = alpha.sum(axis=-1, keepdims=True) - alpha
    tail = (1 - level) / 2
    return Bounds(alpha / (alpha + rest), betaincinv(alpha, rest, tail), betaincinv(alpha, rest, 1 - tail))


def bound_diagonal(counts: Floats, *, priors: Priors, level: float = 0.95) -> Bounds:
    """Return the intervals of `bound_cells` for right answers alone: (J, K)."""
    cells = bound_cells(counts, priors=priors, level=level)
    return Bounds(*(np.diagonal(one, axis1=-2, axis2=-1) for one in (cells.mean, cells.low, cells.high)))
