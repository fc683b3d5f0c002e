"""One temperature, so that a probability of 0.8 is right four times in five.

Decides the temperature from out-of-fold logits. Refuses to know how the logits came about.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax

_RANGE = (0.2, 10.0)


def fit_temperature(*, logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """The T that minimises the mean negative log-likelihood of softmax(logits / T) (Guo et al. 2017).

    Parameters: logits (N, K) of items the model was not trained on, labels (N,). T lies in 0.2..10;
    without items it is 1.
    """
    if len(labels) == 0:
        return 1.0
    wide = np.asarray(logits, dtype=np.float64)
    index = np.arange(len(labels))

    def measure(log_temperature: float) -> float:
        scaled = wide * np.exp(-log_temperature)
        return float(np.mean(logsumexp(scaled, axis=1) - scaled[index, labels]))

    bounds = (float(np.log(_RANGE[0])), float(np.log(_RANGE[1])))
    found = minimize_scalar(measure, bounds=bounds, method="bounded", options={"xatol": 1e-4})
    # Six digits are more than the data can tell, and keep the last bits of a sum out of the digest.
    return round(float(np.exp(found.x)), 6)


def apply_temperature(logits: NDArray[np.floating], *, temperature: float) -> NDArray[np.float32]:
    """Probabilities over the last axis of logits, softened (T > 1) or sharpened (T < 1)."""
    result: NDArray[np.float32] = softmax(np.asarray(logits, dtype=np.float32) / np.float32(temperature), axis=-1)
    return result
