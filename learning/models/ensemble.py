"""Five heads that each have not seen a fifth of the cases, and what they say together.

Decides members, mean and out-of-fold probabilities. Refuses to know files, studies and gates.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from learning.models import calibration, folds, heads
from learning.models.heads import UNSEEN, FloatArray, HeadSettings


@dataclass(frozen=True)
class OutOfFold:
    """What each training item was given by the one member that never saw its case.

    folds (N,) int64; proba (N, K) float32, calibrated; is_known (N,) bool: false where that member had
    no example of the item's class, so that its answer says nothing about the label.
    """

    folds: NDArray[np.int64]
    proba: FloatArray
    is_known: NDArray[np.bool_]


@dataclass(frozen=True)
class Ensemble:
    """weights (M, D, K) and biases (M, K) float32, one temperature; logits are features @ weights + biases."""

    weights: FloatArray
    biases: FloatArray
    temperature: float
    out_of_fold: OutOfFold

    @property
    def oof_proba(self) -> FloatArray:
        """Calibrated out-of-fold probabilities of the training items, (N, K)."""
        return self.out_of_fold.proba

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which member has seen which class, (M, K)."""
        result: NDArray[np.bool_] = self.biases > UNSEEN / 2
        return result

    def predict_proba(self, features: NDArray[np.floating]) -> FloatArray:
        """Calibrated probabilities of every member, (M, N, K) float32; see `fill_unknown`."""
        rows = np.asarray(features, dtype=np.float32)
        logits = np.matmul(rows[None], self.weights) + self.biases[:, None, :]
        proba = calibration.apply_temperature(logits, temperature=self.temperature)
        return fill_unknown(proba, known=self.known)

    def mean_proba(self, features: NDArray[np.floating]) -> FloatArray:
        """Mean of the members' probabilities, (N, K) float32."""
        result: FloatArray = self.predict_proba(features).mean(axis=0)
        return result


def fill_unknown(proba: FloatArray, *, known: NDArray[np.bool_]) -> FloatArray:
    """Members' probabilities (M, N, K), changed in place where a member does not know a class.

    A class that lives in one case is unknown to the member without it, and that member's zero is no
    opinion. It takes the mean of the members that know the class, and scales its other answers down.
    """
    if known.all():
        return proba
    voters = np.maximum(known.sum(axis=0), 1).astype(np.float32)
    belief = proba.sum(axis=0) / voters
    for member in np.flatnonzero(~known.all(axis=1)):
        unknown = ~known[member]
        lent = np.where(unknown, belief, np.float32(0))
        lent *= 1 / np.maximum(lent.sum(axis=1, keepdims=True), 1)
        proba[member] = proba[member] * (1 - lent.sum(axis=1, keepdims=True)) + lent
    return proba


def train_ensemble(
    *,
    features: NDArray[np.floating],
    labels: NDArray[np.integer],
    groups: NDArray[np.integer],
    classes: int,
    sample_weight: NDArray[np.floating] | None = None,
    is_unseen: NDArray[np.bool_] | None = None,
    seed: int,
    members: int = 5,
    settings: HeadSettings | None = None,
) -> Ensemble:
    """Train member k without the cases of fold k, then one temperature on the out-of-fold logits.

    Parameters: features (N, D), labels (N,) in 0..classes-1, groups (N,) case of each item,
    sample_weight (N,) or None, is_unseen (N,) or None: items whose labels the features have not been learned from,
    the only ones whose out-of-fold probabilities count as known. With fewer cases than members there are as many
    members as cases.
    Raises ValueError for rows that do not fit together. Same input and seed give the same numbers;
    BLAS runs on one thread, since its sums depend on how many there are.
    """
    _check(features, labels, groups, classes, sample_weight)
    fold = folds.assign_folds(labels=labels, groups=groups, classes=classes, folds=members, seed=seed)
    rows = np.asarray(features, dtype=np.float32)
    held_out = range(int(fold.max()) + 1)

    def fit_member(held: int) -> heads.Head:
        kept = fold != held if len(held_out) > 1 else np.ones(len(fold), dtype=bool)
        weight = None if sample_weight is None else sample_weight[kept]
        return heads.fit_head(
            features=rows[kept], labels=labels[kept], classes=classes, sample_weight=weight, settings=settings
        )

    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
        return _assemble(list(pool.map(fit_member, held_out)), rows, labels, fold, is_unseen)


def _assemble(
    fitted: list[heads.Head],
    rows: FloatArray,
    labels: NDArray[np.integer],
    fold: NDArray[np.int64],
    is_unseen: NDArray[np.bool_] | None,
) -> Ensemble:
    weights = np.stack([head.weights for head in fitted])
    biases = np.stack([head.bias for head in fitted])
    logits = np.empty((len(rows), biases.shape[1]), dtype=np.float32)
    for held in range(len(fitted)):
        items = fold == held
        logits[items] = rows[items] @ weights[held] + biases[held]
    is_known = biases[fold, labels] > UNSEEN / 2
    if is_unseen is not None:
        is_known &= is_unseen
    temperature = calibration.fit_temperature(logits=logits[is_known], labels=labels[is_known])
    proba = calibration.apply_temperature(logits, temperature=temperature)
    return Ensemble(
        weights=weights,
        biases=biases,
        temperature=temperature,
        out_of_fold=OutOfFold(folds=fold, proba=proba, is_known=is_known),
    )


def _check(
    features: NDArray[np.floating],
    labels: NDArray[np.integer],
    groups: NDArray[np.integer],
    classes: int,
    sample_weight: NDArray[np.floating] | None,
) -> None:
    count = len(labels)
    if features.ndim != 2 or len(features) != count or len(groups) != count:
        raise ValueError(
            f"Features {features.shape}, labels ({count},) and groups ({len(groups)},) do not belong together."
        )
    if count == 0:
        raise ValueError("There is nothing to train on: the training set is empty. Settle some regions first.")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"Labels run from {labels.min()} to {labels.max()}, but there are {classes} classes.")
    if sample_weight is not None and (len(sample_weight) != count or not (sample_weight > 0).all()):
        raise ValueError("Sample weights must be positive numbers, one for each item.")
    if not np.isfinite(features).all():
        raise ValueError("Features hold values that are not finite. Check the encoder that made them.")
