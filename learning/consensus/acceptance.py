"""What is still wrong in a frozen set, from a random sample of it that people answered blind again.

Decides the share of wrong labels with its interval. Nobody's word is the truth here: fresh answers and verdicts are
opinions of people who err, and the truth of each sampled region is drawn together with everybody's confusion matrix.
Refuses to know who was asked, and what is done about a wrong label.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from learning.consensus.answers import Answers, Floats, Integers
from learning.consensus.priors import Priors, expect_accuracy

LEVEL = 0.95
# Jeffreys' prior: of all priors on a share, the one whose intervals cover what they say.
JEFFREYS = 0.5
EXPERT_ACCURACY, EXPERT_STRENGTH = 0.95, 20.0
CHAINS, SWEEPS, WARM_UP = 64, 24, 8
GONE = -1
"""In place of a class, for a sampled region that is no longer part of the set."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A share: its expectation and the ends of its credible interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """`share` of wrong labels among the `regions` the estimate speaks of, and of each class (None: no such region).

    `wrong` (n,) is, for each sampled region, the chance that the label it was drawn with is wrong.
    """

    share: Bounds
    per_class: tuple[Bounds | None, ...]
    regions: int
    wrong: Floats


def estimate(
    answers: Answers,
    *,
    labels: Integers,
    standing: Integers,
    unsampled: Integers,
    experts: NDArray[np.bool_],
    seed: int,
) -> Estimate:
    """Estimate from n sampled regions in K classes how many labels of a set are wrong.

    `answers` are those of J people about the n regions, verdicts of adjudicators among them: `experts` (J,) says who.
    `labels` (n,) are those that stood when the sample was drawn, `standing` (n,) those that stand now, or GONE.
    `unsampled` (K,) counts the regions of the set that were not drawn and still have the label they had then.
    The same arguments give the same numbers.
    """
    chains = _Chains(answers, labels, experts, np.random.default_rng(seed))
    counted = [chains.count(standing, unsampled) for step in range(SWEEPS) if chains.sweep() and step >= WARM_UP]
    errors = np.concatenate([one[0] for one in counted])
    by_class = np.concatenate([one[1] for one in counted])
    kept = np.bincount(standing[standing != GONE], minlength=len(unsampled)) + unsampled
    return Estimate(
        share=_bound(errors, int(kept.sum())) or Bounds(0.0, 0.0, 1.0),
        per_class=tuple(_bound(by_class[:, code], int(kept[code])) for code in range(len(kept))),
        regions=int(kept.sum()),
        wrong=chains.wrong / len(counted),
    )


def foresee(*, size: int, population: int, share: float) -> Bounds:
    """What a sample of `size` of `population` regions would tell where `share` of the labels are wrong.

    As if verdicts never erred, so it is the least width; what was looked at and mended is no longer uncertain.
    """
    if not 1 <= size <= population or not 0 <= share <= 1:
        raise ValueError(f"A sample of {size} from {population} regions with a share of {share} can't be.")
    alpha, beta = size * share + JEFFREYS, size * (1 - share) + JEFFREYS
    tail = (1 - LEVEL) / 2
    rest = 1 - size / population
    low, high = float(betaincinv(alpha, beta, tail)), float(betaincinv(alpha, beta, 1 - tail))
    return Bounds(share * rest, low * rest, high * rest)


class _Chains:
    """Gibbs chains side by side, each with a truth for every region, a share of wrong labels and confusion matrices."""

    def __init__(
        self, answers: Answers, labels: Integers, experts: NDArray[np.bool_], rng: np.random.Generator
    ) -> None:
        self._answers, self._labels, self._rng = answers, labels, rng
        _, people, self._classes = answers.sizes
        self._prior = _believe(people, self._classes, experts)
        counts = np.bincount(labels, minlength=self._classes) + 1.0
        self._classes_share = counts / counts.sum()
        self._error = np.full(CHAINS, 0.05)
        self._truth = np.tile(labels, (CHAINS, 1))
        self.wrong = np.zeros(len(labels))

    def sweep(self) -> bool:
        """Draw confusion matrices, truths and the share of wrong labels once, each from the others."""
        self._truth = self._draw_truth(np.log(self._draw_confusion()))
        missed = (self._truth != self._labels).sum(axis=1)
        self._error = self._rng.beta(JEFFREYS + missed, JEFFREYS + len(self._labels) - missed)
        return True

    def count(self, standing: Integers, unsampled: Integers) -> tuple[Integers, Integers]:
        """How many labels of the set are wrong in each chain: in all (C,), and by the label that stands (C, K)."""
        is_wrong = self._truth != self._labels
        self.wrong += is_wrong.mean(axis=0)
        left = (self._truth != standing) & (standing != GONE)
        drawn = _sum_by(is_wrong, self._labels, self._classes)
        sampled = np.bincount(self._labels, minlength=self._classes)
        shares = self._rng.beta(JEFFREYS + drawn, JEFFREYS + sampled - drawn)
        by_class = self._rng.binomial(unsampled, shares) + _sum_by(left, np.maximum(standing, 0), self._classes)
        errors = self._rng.binomial(int(unsampled.sum()), self._error) + left.sum(axis=1)
        return errors, by_class

    def _draw_confusion(self) -> Floats:
        """(C, J, K, K) from Dirichlet rows: what was counted under each chain's truth, and what is believed before."""
        people, classes = len(self._prior), self._classes
        chain = np.arange(CHAINS)[:, None]
        told = self._truth[:, self._answers.items]
        cells = ((chain * people + self._answers.annotators) * classes + told) * classes + self._answers.labels
        counts = np.bincount(cells.ravel(), minlength=CHAINS * people * classes * classes)
        drawn = self._rng.standard_gamma(counts.reshape(CHAINS, people, classes, classes) + self._prior)
        drawn = np.maximum(drawn, 1e-12)
        shares: Floats = drawn / drawn.sum(axis=-1, keepdims=True)
        return shares

    def _draw_truth(self, log_confusion: Floats) -> Integers:
        """(C, n): right with the chain's chance of it, else one of the other classes, weighed by what people said."""
        said = log_confusion[:, self._answers.annotators, :, self._answers.labels]
        starts = np.flatnonzero(np.diff(self._answers.items, prepend=-1))
        score = np.zeros((CHAINS, len(self._labels), self._classes))
        if len(starts):
            summed = np.add.reduceat(said, starts, axis=0)
            score[:, self._answers.items[starts]] = summed.transpose(1, 0, 2)
        rest = 1.0 - self._classes_share[self._labels]
        otherwise = self._classes_share / rest[:, None]
        score += np.log(self._error)[:, None, None] + np.log(otherwise)
        rows = np.arange(len(self._labels))
        right = np.log1p(-self._error)[:, None] - np.log(self._error)[:, None] - np.log(otherwise[rows, self._labels])
        score[:, rows, self._labels] += right
        # The largest of the scores with Gumbel noise is a draw from their shares.
        noise = self._rng.gumbel(size=score.shape)
        return np.asarray((score + noise).argmax(axis=-1), dtype=np.int64)


def _believe(people: int, classes: int, experts: NDArray[np.bool_]) -> Floats:
    """Pseudo-counts (J, K, K): adjudicators are believed to be better, and believed it more firmly."""
    ordinary = expect_accuracy(classes)
    expert: Priors = expect_accuracy(classes, accuracy=EXPERT_ACCURACY, strength=EXPERT_STRENGTH)
    chosen = [(expert if is_expert else ordinary).confusion_counts(classes) for is_expert in experts]
    return np.stack(chosen) if chosen else np.empty((people, classes, classes))


def _sum_by(values: NDArray[np.bool_], groups: Integers, size: int) -> Integers:
    """Sum (C, n) over the n columns of each group: (C, size)."""
    member = (groups[:, None] == np.arange(size)).astype(np.int64)
    return np.asarray(values.astype(np.int64) @ member, dtype=np.int64)


def _bound(errors: Integers, regions: int) -> Bounds | None:
    """Mean and equal-tailed interval of a count as shares of `regions`; None where there are none."""
    if regions == 0:
        return None
    tail = (1 - LEVEL) / 2
    low = np.quantile(errors, tail, method="lower")
    high = np.quantile(errors, 1 - tail, method="higher")
    return Bounds(float(errors.mean() / regions), float(low / regions), float(high / regions))
