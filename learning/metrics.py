"""How good a set of probabilities is, and how sure one can be of that with few cases.

Decides the measures. Refuses to know models, gates and what is good enough.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

FloatArray = NDArray[np.float64]
Confusion = FloatArray
Measure = Callable[[Confusion], FloatArray]


@dataclass(frozen=True)
class Interval:
    """A point estimate with its interval."""

    value: float
    low: float
    high: float


def count_confusion(*, truth: NDArray[np.integer], predicted: NDArray[np.integer], classes: int) -> Confusion:
    """Rows truth, columns prediction, (K, K)."""
    flat = np.bincount(truth * classes + predicted, minlength=classes * classes)
    return flat.reshape(classes, classes).astype(np.float64)


def measure_accuracy(confusion: Confusion) -> FloatArray:
    """Share of items on the diagonal of (..., K, K); (...)."""
    right = np.trace(confusion, axis1=-2, axis2=-1)
    result: FloatArray = right / np.maximum(confusion.sum(axis=(-2, -1)), 1e-12)
    return result


def measure_recall(confusion: Confusion) -> FloatArray:
    """Recall of each class (..., K); NaN for a class that truth does not hold."""
    return _divide(np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(axis=-1))


def measure_precision(confusion: Confusion) -> FloatArray:
    """Precision of each class (..., K); NaN for a class that was never predicted."""
    return _divide(np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(axis=-2))


def measure_f1(confusion: Confusion) -> FloatArray:
    """F1 of each class (..., K); NaN for a class that truth does not hold."""
    truth, predicted = confusion.sum(axis=-1), confusion.sum(axis=-2)
    score = _divide(2 * np.diagonal(confusion, axis1=-2, axis2=-1), truth + predicted)
    return np.where(truth > 0, score, np.nan)


def measure_macro_f1(confusion: Confusion) -> FloatArray:
    """Mean F1 over the classes that truth holds; (...)."""
    score = measure_f1(confusion)
    present = ~np.isnan(score)
    result: FloatArray = np.where(present, score, 0.0).sum(axis=-1) / np.maximum(present.sum(axis=-1), 1)
    return result


def measure_nll(
    *, truth: NDArray[np.integer], proba: NDArray[np.floating], weight: NDArray[np.floating] | None = None
) -> float:
    """Mean negative log-likelihood in nats; probabilities below 1e-6 count as 1e-6.

    `weight`: see `estimate_interval`.
    """
    picked = proba[np.arange(len(truth)), truth].astype(np.float64)
    return float(np.average(-np.log(np.maximum(picked, 1e-6)), weights=weight))


def measure_ece(
    *,
    truth: NDArray[np.integer],
    proba: NDArray[np.floating],
    weight: NDArray[np.floating] | None = None,
    bins: int = 15,
) -> float:
    """Expected calibration error of the top class over equal-width bins (Guo et al. 2017).

    `weight`: see `estimate_interval`.
    """
    each = np.ones(len(truth)) if weight is None else np.asarray(weight, dtype=np.float64)
    confidence = proba.max(axis=1).astype(np.float64)
    right = proba.argmax(axis=1) == truth
    which = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gap = np.bincount(which, each * right, minlength=bins) - np.bincount(which, each * confidence, minlength=bins)
    return float(np.abs(gap).sum() / each.sum())


def estimate_interval(
    *,
    truth: NDArray[np.integer],
    proba: NDArray[np.floating],
    cases: NDArray[np.integer],
    measure: Measure = measure_macro_f1,
    weight: NDArray[np.floating] | None = None,
    level: float = 0.95,
) -> Interval:
    """A measure of items drawn by case, with an interval for the population they were drawn from.

    The jackknife that leaves out one case at a time (Efron and Stein 1981) with Student's quantile of one degree less
    than there are cases. `weight` (N,) is what each item stands for (`learning.sampling`), None where all are alike.
    One case alone says nothing of others: the interval is everything.
    """
    by_case = _count_by_case(truth, proba.argmax(axis=1), cases, proba.shape[1], weight)
    total = by_case.sum(axis=0)
    return _bound(float(measure(total)), measure(total - by_case), level=level, least=0.0)


def estimate_difference(
    *,
    truth: NDArray[np.integer],
    baseline: NDArray[np.floating],
    candidate: NDArray[np.floating],
    cases: NDArray[np.integer],
    measure: Measure = measure_macro_f1,
    weight: NDArray[np.floating] | None = None,
    level: float = 0.95,
) -> Interval:
    """Candidate minus baseline on the same items, leaving out the same case of both; see `estimate_interval`."""
    classes = baseline.shape[1]
    old = _count_by_case(truth, baseline.argmax(axis=1), cases, classes, weight)
    new = _count_by_case(truth, candidate.argmax(axis=1), cases, classes, weight)
    value = float(measure(new.sum(axis=0)) - measure(old.sum(axis=0)))
    left = measure(new.sum(axis=0) - new) - measure(old.sum(axis=0) - old)
    return _bound(value, left, level=level, least=-1.0)


def _divide(part: FloatArray, whole: FloatArray) -> FloatArray:
    result: FloatArray = np.where(whole > 0, part / np.maximum(whole, 1e-12), np.nan)
    return result


def _count_by_case(
    truth: NDArray[np.integer],
    predicted: NDArray[np.integer],
    cases: NDArray[np.integer],
    classes: int,
    weight: NDArray[np.floating] | None,
) -> FloatArray:
    names, case_of = np.unique(cases, return_inverse=True)
    cell = (case_of * classes + truth) * classes + predicted
    flat = np.bincount(cell, weight, minlength=len(names) * classes * classes)
    return flat.reshape(len(names), classes, classes).astype(np.float64)


def _bound(value: float, left: FloatArray, *, level: float, least: float) -> Interval:
    """From the values (C,) without each of C cases, within the range that the measure can have."""
    count = len(left)
    if count < 2:
        return Interval(value=value, low=least, high=1.0)
    error = float(np.sqrt((count - 1) / count * np.square(left - left.mean()).sum()))
    reach = float(stdtrit(count - 1, (1 + level) / 2)) * error
    return Interval(value=value, low=max(value - reach, least), high=min(value + reach, 1.0))
