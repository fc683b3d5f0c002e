"""Kernel ridge regression on landmarks (Nystroem), every region answered without its case.

Decides how features become out-of-fold scores, for as many rounds of targets as wanted at the price of one.
Refuses to know labels' noise and calibration.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from learning.features.rows import FeatureRows

FloatArray = NDArray[np.float32]
WideArray = NDArray[np.float64]

LANDMARKS = 1000
WIDTH = 0.3
"""Of the Gaussian, against the mean squared difference of two standardised rows."""
RIDGE = 0.3
_JITTER = 1e-6
_FAREST = 5.0
_BLOCK = 2048
# Blocks of the kernel matrix are kept while they fit, and computed anew past that.
_KEPT_BYTES = 256 * 2**20


class OutOfFoldRidge:
    """Squared loss towards one column a class, so that a few wrong labels pull little and the fit is closed.

    The landmarks are rows drawn without looking at labels; `fold` (N,) says who is held out together.
    """

    def __init__(self, features: FeatureRows, *, fold: NDArray[np.int64], seed: int) -> None:
        generator = np.random.default_rng(seed)
        count = len(features)
        self._features = features
        self._fold = fold
        chosen = np.sort(generator.choice(count, size=min(LANDMARKS, count), replace=False))
        rows = features.take(chosen)
        self._mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        self._spread = np.maximum(rows.std(axis=0, dtype=np.float64).astype(np.float32), 1e-3)
        self._landmarks = self._standardise(rows)
        self._kept: list[FloatArray] | None = [] if 4 * count * len(chosen) <= _KEPT_BYTES else None
        with threadpool_limits(limits=1, user_api="blas"):
            self._factors = self._factorise()

    def predict(self, targets: WideArray) -> WideArray:
        """Scores (N, K) of each row by the fit to the targets (N, K) of the other folds."""
        with threadpool_limits(limits=1, user_api="blas"):
            return self._predict(targets)

    def _predict(self, targets: WideArray) -> WideArray:
        folds = len(self._factors)
        sums = np.stack([targets[self._fold == held].sum(axis=0) for held in range(folds)])
        sizes = np.bincount(self._fold, minlength=folds)
        means = (sums.sum(axis=0) - sums) / np.maximum(sizes.sum() - sizes, 1)[:, None]
        pulls = np.zeros((folds, len(self._landmarks), targets.shape[1]))
        masses = np.zeros((folds, len(self._landmarks)))
        for rows, block in self._blocks():
            for held in np.unique(self._fold[rows]):
                here = self._fold[rows] == held
                pulls[held] += block[here].T @ targets[rows][here].astype(np.float32)
                masses[held] += block[here].sum(axis=0, dtype=np.float64)
        pulls = pulls.sum(axis=0) - pulls - (masses.sum(axis=0) - masses)[:, :, None] * means[:, None, :]
        weights = [cho_solve(factor, pull) for factor, pull in zip(self._factors, pulls, strict=True)]
        scores = np.empty(targets.shape)
        for rows, block in self._blocks():
            for held in np.unique(self._fold[rows]):
                here = rows[self._fold[rows] == held]
                scores[here] = block[here - rows[0]] @ weights[held].astype(np.float32) + means[held]
        return scores

    def _factorise(self) -> list[tuple[WideArray, bool]]:
        size, folds = len(self._landmarks), int(self._fold.max()) + 1
        products = np.zeros((folds, size, size))
        for rows, block in self._blocks():
            for held in np.unique(self._fold[rows]):
                # In single precision the sum of squares may lose its positive definiteness.
                here = block[self._fold[rows] == held].astype(np.float64)
                products[held] += here.T @ here
        penalty = RIDGE * self._kernel(self._landmarks).astype(np.float64)
        penalty[np.diag_indices(size)] += _JITTER * max(len(self._fold), 1000)
        total = products.sum(axis=0) + penalty
        return [cho_factor(total - product, lower=True) for product in products]

    def _blocks(self) -> Iterator[tuple[NDArray[np.int64], FloatArray]]:
        for start in range(0, len(self._fold), _BLOCK):
            rows = np.arange(start, min(start + _BLOCK, len(self._fold)))
            place = start // _BLOCK
            if self._kept is not None and place < len(self._kept):
                yield rows, self._kept[place]
                continue
            block = self._kernel(self._standardise(self._features.take(rows)))
            if self._kept is not None:
                self._kept.append(block)
            yield rows, block

    def _standardise(self, rows: FloatArray) -> FloatArray:
        result: FloatArray = np.clip((rows - self._mean) / self._spread, -_FAREST, _FAREST)
        return result

    def _kernel(self, rows: FloatArray) -> FloatArray:
        squares = np.einsum("nd,nd->n", rows, rows)
        others = np.einsum("nd,nd->n", self._landmarks, self._landmarks)
        distance = squares[:, None] + others - 2 * (rows @ self._landmarks.T)
        result: FloatArray = np.exp(np.maximum(distance, 0) * np.float32(-WIDTH / rows.shape[1]))
        return result
