"""One linear head: class-weighted multinomial logistic regression, fitted from scratch.

Decides the objective and how it is minimised. Refuses to know folds, cases and calibration.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

FloatArray = NDArray[np.float32]

# Logit of a class the head has never seen: its probability is exactly zero at any sane temperature.
UNSEEN = -1e4


@dataclass(frozen=True)
class HeadSettings:
    """What shapes a head. Penalty is L2 on weights of standardised features, against a mean loss.

    `balance` 1.0 weights every class alike, 0.0 every item alike; between them the weight of a class
    is its frequency to the power of minus `balance`.
    """

    penalty: float = 0.01
    balance: float = 0.75
    max_iterations: int = 200


@dataclass(frozen=True)
class Head:
    """Logits are `features @ weights + bias`; standardisation is folded in.

    weights (D, K) float32, bias (K,) float32, UNSEEN where a class was absent from the training rows.
    """

    weights: FloatArray
    bias: FloatArray


def fit_head(
    *,
    features: NDArray[np.floating],
    labels: NDArray[np.integer],
    classes: int,
    sample_weight: NDArray[np.floating] | None = None,
    settings: HeadSettings | None = None,
) -> Head:
    """Fit a head to rows (N, D) with labels (N,) in 0..classes-1.

    Minimises the weighted mean cross-entropy + penalty / 2 * squared weights by L-BFGS, always from
    zero: warm starts generalise worse (Ash and Adams 2020). Deterministic for one count of BLAS threads.
    """
    settings = settings or HeadSettings()
    seen, target = np.unique(labels, return_inverse=True)
    rows = np.asarray(features, dtype=np.float32)
    mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    spread = np.maximum(rows.std(axis=0, dtype=np.float64), 1e-4).astype(np.float32)
    weight = weigh_classes(target, sample_weight=sample_weight, balance=settings.balance)
    solution, offset = _minimise((rows - mean) / spread, target, weight, len(seen), settings)
    weights = np.zeros((rows.shape[1], classes), dtype=np.float32)
    bias = np.full(classes, UNSEEN, dtype=np.float32)
    weights[:, seen] = solution / spread[:, None]
    bias[seen] = offset - mean @ weights[:, seen]
    return Head(weights=weights, bias=bias)


def weigh_classes(
    target: NDArray[np.integer], *, sample_weight: NDArray[np.floating] | None, balance: float
) -> FloatArray:
    """Weight of each item (N,), mean 1: its own weight times the frequency of its class ^ -balance."""
    own = np.ones(len(target)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    mass = np.bincount(target, own)
    weight = own * (mass / mass.sum())[target] ** -balance
    result: FloatArray = (weight / weight.mean()).astype(np.float32)
    return result


def _minimise(
    rows: FloatArray, target: NDArray[np.integer], weight: FloatArray, seen: int, settings: HeadSettings
) -> tuple[FloatArray, FloatArray]:
    """Weights (D, S) and bias (S,) for standardised rows (N, D)."""
    if seen == 1:
        return np.zeros((rows.shape[1], 1), dtype=np.float32), np.zeros(1, dtype=np.float32)
    basis = _precondition(rows, weight, settings.penalty)
    objective = _Objective(
        rows=rows @ basis,
        target=target,
        share=weight / np.float32(len(weight)),
        penalty=settings.penalty * np.square(basis).sum(axis=0)[:, None],
        shape=(basis.shape[1] + 1, seen),
    )
    options = {"maxiter": settings.max_iterations, "ftol": 1e-7, "gtol": 1e-5, "maxcor": 10}
    start = np.zeros(objective.shape[0] * seen)
    best = minimize(objective.evaluate, start, jac=True, method="L-BFGS-B", options=options).x
    parameters = best.astype(np.float32).reshape(objective.shape)
    return basis @ parameters[:-1], parameters[-1]


def _precondition(rows: FloatArray, weight: FloatArray, penalty: float) -> FloatArray:
    """Directions (D, R) in which the objective curves about alike, so that L-BFGS needs few steps.

    Measured features are strongly correlated; without this 200 steps are not enough. The eigenvectors
    of the weighted covariance, each scaled by its curvature bound (Boehning 1992); R <= D drops
    directions without any spread, in which the optimal weight is zero anyway. Fewer rows than columns
    span so few directions that the products between rows (N, N) tell them sooner, and as well.
    """
    is_wide = rows.shape[0] < rows.shape[1]
    if is_wide:
        scaled = rows * np.sqrt(weight.astype(np.float64) / len(rows))[:, None]
        spread, directions = np.linalg.eigh(scaled @ scaled.T)
    else:
        covariance = (rows * weight[:, None]).T @ rows / np.float32(len(rows))
        spread, directions = np.linalg.eigh(covariance.astype(np.float64))
    kept = spread > 1e-6 * spread[-1]
    spread, directions = spread[kept], directions[:, kept]
    if is_wide:
        directions = scaled.T @ (directions / np.sqrt(spread))
    result: FloatArray = (directions / np.sqrt(0.25 * spread + penalty)).astype(np.float32)
    return result


@dataclass(frozen=True)
class _Objective:
    """Weighted cross-entropy and its gradient over (R + 1, S) parameters, the last row being the bias."""

    rows: FloatArray
    target: NDArray[np.integer]
    share: FloatArray
    penalty: FloatArray
    shape: tuple[int, int]

    def evaluate(self, flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        parameters = flat.astype(np.float32).reshape(self.shape)
        index = np.arange(len(self.target))
        logits = self.rows @ parameters[:-1] + parameters[-1]
        logits -= logits.max(axis=1, keepdims=True)
        picked = logits[index, self.target]
        np.exp(logits, out=logits)
        total = logits.sum(axis=1, keepdims=True)
        loss = float(self.share @ (np.log(total[:, 0]) - picked))
        logits /= total
        logits[index, self.target] -= 1.0
        logits *= self.share[:, None]
        pull = self.penalty * parameters[:-1]
        gradient = np.empty_like(parameters)
        gradient[:-1] = self.rows.T @ logits + pull
        gradient[-1] = logits.sum(axis=0)
        loss += 0.5 * float(np.vdot(parameters[:-1], pull))
        return loss, gradient.ravel().astype(np.float64)
