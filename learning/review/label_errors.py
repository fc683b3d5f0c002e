"""Which labels are probably wrong: confident learning with a model that saw neither the region nor its case.

Decides the chance that a label is wrong, and the class that fits better. Refuses to know who gave the label.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import softmax

from learning.features.rows import FeatureRows
from learning.models.folds import assign_folds
from learning.review.kernel import OutOfFoldRidge, WideArray

FOLDS = 5
_ROUNDS = 2
_STEPS = 12
# Scores of the ridge lie between 0 and 1; as logits they need about this much more room.
_SHARPNESS = 6.0
_HOLD = 1e-3
_FIRST_NOISE, _LEAST_NOISE, _MOST_NOISE = 0.1, 0.02, 0.4
# A class with fewer regions is taken to go wrong in any direction alike; one with more shows its own directions.
_EVENLY = 300.0


@dataclass(frozen=True)
class LabelErrors:
    """proba (N, K): out of fold, calibrated to the labels as given. suspicion (N,): the chance that a label is wrong.
    likely (N,): the best other class. noise: the share of labels that is taken to be wrong.
    """

    proba: WideArray
    suspicion: WideArray
    likely: NDArray[np.int64]
    noise: float


def find_label_errors(
    features: FeatureRows,
    *,
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    classes: int,
    seed: int,
) -> LabelErrors:
    """Doubt each of N labels by what the regions of other cases (`groups`) look like.

    Confident learning (Northcutt et al. 2021) with the joint of true and given labels found together with the
    calibration, by expectation maximisation. The second round learns from the first one's beliefs instead of the
    labels, so that wrong labels stop defending each other. ValueError with fewer than two classes or regions.
    """
    if classes < 2 or len(np.unique(labels)) < 2:
        raise ValueError("Labels of one class only can't be told right from wrong.")
    fold = assign_folds(labels=labels, groups=groups, classes=classes, folds=FOLDS, seed=seed)
    if fold.max() < 1:
        raise ValueError("A single region can't be answered by others.")
    ridge = OutOfFoldRidge(features, fold=fold, seed=seed)
    given = np.eye(classes)[labels]
    beliefs, noise = given, _FIRST_NOISE
    for _ in range(_ROUNDS):
        scores = _SHARPNESS * ridge.predict(beliefs)
        beliefs, noise = _believe(scores, labels, given)
    own = np.arange(len(labels))
    return LabelErrors(
        proba=_calibrate(scores, given, _start(classes))[0],
        suspicion=1 - beliefs[own, labels],
        likely=np.where(given > 0, -1.0, beliefs).argmax(axis=1),
        noise=noise,
    )


def _believe(scores: WideArray, labels: NDArray[np.int64], given: WideArray) -> tuple[WideArray, float]:
    """What each region is by its scores and its noisy label, (N, K), and the rate of noise that fits."""
    classes = scores.shape[1]
    confusion, noise = _spread(_FIRST_NOISE, classes), _FIRST_NOISE
    # Calibrated to the labels first, the noise would hide in soft probabilities and never be found.
    proba, shape = softmax(scores, axis=1), _start(classes)
    for _ in range(_STEPS):
        beliefs = proba * confusion[:, labels].T
        beliefs /= beliefs.sum(axis=1, keepdims=True)
        noise = float(np.clip(1 - beliefs[np.arange(len(labels)), labels].mean(), _LEAST_NOISE, _MOST_NOISE))
        confusion = _EVENLY * _spread(noise, classes) + beliefs.T @ given
        confusion /= confusion.sum(axis=1, keepdims=True)
        proba, shape = _calibrate(scores, beliefs, shape)
    return beliefs, noise


def _spread(noise: float, classes: int) -> WideArray:
    """True class -> label (K, K), where labels go wrong at one rate in any direction."""
    confusion = np.full((classes, classes), noise / (classes - 1))
    confusion[np.diag_indices(classes)] = 1 - noise
    return confusion


def _start(classes: int) -> WideArray:
    return np.concatenate([np.ones(classes), np.zeros(classes)])


def _calibrate(scores: WideArray, targets: WideArray, start: WideArray) -> tuple[WideArray, WideArray]:
    """Probabilities (N, K) by a slope and an offset for each class, held near 1 and 0; and the slopes and offsets."""
    classes = scores.shape[1]

    def measure(shape: WideArray) -> tuple[float, WideArray]:
        slope, offset = shape[:classes], shape[classes:]
        proba = softmax(scores * slope + offset, axis=1)
        loss = -(targets * np.log(np.maximum(proba, 1e-12))).sum() / len(scores)
        pull = (proba - targets) / len(scores)
        gradient = np.concatenate([(pull * scores).sum(axis=0), pull.sum(axis=0)]) + 2 * _HOLD * (shape - anchor)
        return loss + _HOLD * np.square(shape - anchor).sum(), gradient

    anchor = _start(classes)
    shape: WideArray = minimize(measure, start, jac=True, method="L-BFGS-B", options={"maxiter": 100}).x
    return softmax(scores * shape[:classes] + shape[classes:], axis=1), shape
