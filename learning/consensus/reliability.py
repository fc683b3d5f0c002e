"""How far an annotator can be trusted, with the uncertainty of saying so.

Decides intervals of the diagonal and the chance that a given answer is right; refuses to know what follows
from it. Feed it answers from audit regions and the random share: what adaptive overlap collects is only the
hard part.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from learning.consensus.answers import Floats
from learning.consensus.priors import Priors


@dataclass(frozen=True, slots=True)
class Diagonal:
    """The chance of a right answer per annotator and true class: mean and credible bounds, each (J, K)."""

    mean: Floats
    low: Floats
    high: Floats


def bound_diagonal(counts: Floats, *, priors: Priors, level: float = 0.95) -> Diagonal:
    """Return equal-tailed intervals of the diagonal from expected counts (J, K, K)
    (`dawid_skene.count_confusions`).

    The marginal of a Dirichlet is a Beta: right answers plus pseudo-counts against all others. Its mean is
    the diagonal that a fit under the same priors reports. ValueError where the priors are zero: no answers
    would then mean no distribution.
    """
    class_count = counts.shape[-1]
    if priors.diagonal <= 0 or (priors.off_diagonal <= 0 and class_count > 1):
        raise ValueError("Intervals need pseudo-counts above zero, or somebody without answers has none.")
    if not 0 < level < 1:
        raise ValueError(f"A level of {level} is no share between 0 and 1.")
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    wrong = np.maximum(counts.sum(axis=-1) - right, 0.0)
    alpha = right + priors.diagonal
    beta = wrong + priors.off_diagonal * (class_count - 1)
    if class_count == 1:
        whole = np.ones_like(alpha)
        return Diagonal(whole, whole, whole)
    tail = (1 - level) / 2
    low, high = betaincinv(alpha, beta, tail), betaincinv(alpha, beta, 1 - tail)
    return Diagonal(alpha / (alpha + beta), low, high)


def reliability_of(*, confusion: Floats, prior: Floats) -> Floats:
    """Return P(truth = k | the annotator says k) per class: (..., K) from confusion (..., K, K) and prior
    (K,).

    This is what a single answer is worth. A class nobody ever gives has the prior itself.
    """
    diagonal = np.diagonal(confusion, axis1=-2, axis2=-1)
    said = np.einsum("...tk,t->...k", confusion, prior)
    even = np.broadcast_to(prior, said.shape).copy()
    reliability: Floats = np.divide(diagonal * prior, said, out=even, where=said > 0)
    return reliability
