"""Dawid-Skene: the truth and everybody's confusion matrix, estimated together.

Decides the estimate from all answers (`fit`) and from one region's answers under a stored snapshot
(`posterior_of`). Refuses to know models, policies and when something is settled.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array, csr_array

from learning.consensus import majority
from learning.consensus.answers import Answers, Floats, Integers
from learning.consensus.priors import Priors, default_confusion, expect_accuracy, normalise_rows

# Stands in for zero where otherwise every class would be impossible.
_SMALLEST = 1e-300


@dataclass(frozen=True, slots=True)
class DawidSkene:
    """A fit: `posterior` (I, K), `confusion` (J, K, K) as P(answer = column | truth = row), `prior` (K,).

    `log_posterior` is the maximised objective: log-likelihood plus the log-density of the priors without its
    constant; `iterations` counts rounds of EM, and `converged` is false where the limit ended it.
    """

    posterior: Floats
    confusion: Floats
    prior: Floats
    log_posterior: float
    iterations: int
    converged: bool


@dataclass(frozen=True, slots=True)
class Start:
    """Where a warm fit begins: `confusion` (J, K, K) and `prior` (K,) of an earlier one."""

    confusion: Floats
    prior: Floats


def fit(
    answers: Answers,
    *,
    priors: Priors | None = None,
    warm_start: DawidSkene | Start | None = None,
    max_iterations: int = 100,
    tolerance: float = 1e-6,
) -> DawidSkene:
    """Estimate truth and confusion by EM in log space (Dawid & Skene 1979, J. R. Stat. Soc. C 28(1):20-28).

    Dirichlet pseudo-counts on the confusion rows and on the class prior make it a maximum a-posteriori
    estimate that survives few answers; `priors.TEXTBOOK` is the original. Starts from majority shares, or
    from the confusion and prior of `warm_start` (annotators it doesn't know start at the prior). Ends when
    the objective grows by less than `tolerance` per answer. A cold start gives the same bits for any order
    of arrival, because `Answers` are sorted; a warm start depends on what it starts from, so it is never the
    canonical consensus.
    """
    _, annotator_count, class_count = answers.sizes
    believed = priors or expect_accuracy(class_count)
    incidence = _build_incidence(answers)
    transposed = incidence.T
    if warm_start is None:
        posterior = majority.tally(answers)
        posterior[np.diff(incidence.indptr) == 0] = 1.0 / class_count
    else:
        confusion = _extend(warm_start.confusion, annotator_count, believed)
        posterior, _ = _expect(incidence, confusion, warm_start.prior)

    previous, converged, iterations = -np.inf, False, 0
    confusion, prior = _maximise(transposed, posterior, believed)
    for iterations in range(1, max_iterations + 1):
        posterior, log_likelihood = _expect(incidence, confusion, prior)
        objective = log_likelihood + _log_density(confusion, prior, believed)
        converged = objective - previous <= tolerance * max(len(answers), 1)
        if converged or iterations == max_iterations:
            break
        previous = objective
        confusion, prior = _maximise(transposed, posterior, believed)
    return DawidSkene(posterior, confusion, prior, float(objective), iterations, bool(converged))


def posterior_of(*, labels: Integers, confusion: Floats, prior: Floats) -> Floats:
    """Return the posterior (K,) of one region from n answers, under a stored snapshot.

    `labels` (n,) and `confusion` (n, K, K) belong together, one annotator each; somebody the snapshot
    doesn't know gets `priors.default_confusion`. Without answers it is the prior (K,).
    """
    given = np.asarray(labels, dtype=np.int64)
    if confusion.shape != (len(given), len(prior), len(prior)):
        raise ValueError(
            f"{len(given)} answers in {len(prior)} classes need confusion matrices of shape "
            f"{(len(given), len(prior), len(prior))}, but these have {confusion.shape}."
        )
    likelihood = confusion[np.arange(len(given)), :, given]
    score = np.log(np.maximum(prior, _SMALLEST)) + np.log(np.maximum(likelihood, _SMALLEST)).sum(axis=0)
    weight = np.exp(score - score.max())
    return np.asarray(weight / weight.sum(), dtype=np.float64)


def count_confusions(answers: Answers, posterior: Floats) -> Floats:
    """Return the expected counts (J, K, K): how often each annotator gave each answer (column) to each truth
    (row)."""
    return _count(_build_incidence(answers).T, posterior)


def _build_incidence(answers: Answers) -> csr_array:
    """One row per item, one column per (annotator, answer): a one for each answer."""
    item_count, annotator_count, class_count = answers.sizes
    starts = np.searchsorted(answers.items, np.arange(item_count + 1))
    columns = answers.annotators * class_count + answers.labels
    shape = (item_count, annotator_count * class_count)
    return csr_array((np.ones(len(answers)), columns, starts), shape=shape)


def _extend(known: Floats, annotator_count: int, priors: Priors) -> Floats:
    class_count = known.shape[-1]
    if len(known) > annotator_count:
        raise ValueError(f"The warm start knows {len(known)} annotators, the answers only {annotator_count}.")
    confusion = np.tile(default_confusion(class_count, priors=priors), (annotator_count, 1, 1))
    confusion[: len(known)] = known
    return confusion


def _expect(incidence: csr_array, confusion: Floats, prior: Floats) -> tuple[Floats, float]:
    """E-step: the posterior (I, K) and the log-likelihood of all answers."""
    class_count = len(prior)
    with np.errstate(divide="ignore"):
        per_answer = np.log(confusion).transpose(0, 2, 1).reshape(-1, class_count)
        score = np.asarray(incidence @ per_answer)
        score += np.log(prior)
    top = score.max(axis=1, keepdims=True, initial=-np.inf)
    impossible = np.flatnonzero(np.isneginf(top[:, 0]))
    if len(impossible):
        score[impossible] = incidence[impossible] @ np.maximum(per_answer, np.log(_SMALLEST))
        top[impossible] = score[impossible].max(axis=1, keepdims=True)
    score -= top
    np.exp(score, out=score)
    total = score.sum(axis=1, keepdims=True)
    score /= total
    return score, float(np.log(total).sum() + top.sum())


def _maximise(transposed: csc_array, posterior: Floats, priors: Priors) -> tuple[Floats, Floats]:
    """M-step: confusion (J, K, K) and class prior (K,) as shares of counts plus pseudo-counts."""
    class_count = posterior.shape[1]
    confusion = _count(transposed, posterior) + priors.confusion_counts(class_count)
    prior = posterior.sum(axis=0) + priors.classes
    return normalise_rows(confusion, even=_share_of_used(confusion)), normalise_rows(prior)


def _share_of_used(counts: Floats) -> Floats:
    """For each annotator, equal shares of the labels that he or she ever gave: (J, 1, K)."""
    used = (counts.sum(axis=1, keepdims=True) > 0).astype(np.float64)
    return normalise_rows(used)


def _count(transposed: csc_array, posterior: Floats) -> Floats:
    # Columns first: one pass over the items into a table that fits the cache, four times faster than rows.
    class_count = posterior.shape[1]
    return np.ascontiguousarray(
        np.asarray(transposed @ posterior).reshape(-1, class_count, class_count).transpose(0, 2, 1)
    )


def _log_density(confusion: Floats, prior: Floats, priors: Priors) -> float:
    """The Dirichlet terms of the objective, without their constants."""
    weights = priors.confusion_counts(len(prior))
    rows = (weights * np.log(np.maximum(confusion, _SMALLEST))).sum()
    return float(rows + priors.classes * np.log(np.maximum(prior, _SMALLEST)).sum())
