"""How firmly answers carry a class when no class is taken for commoner than another.

Decides what the answers are worth without the shares of the classes, and beside what a model expects of the region.
Refuses to know when that is enough (`settlement`). A posterior leans towards common classes, as it should for being
right most often; alone it would settle a rare region as a common one as soon as one of two people errs that way.
"""

import numpy as np

from learning.consensus.answers import Floats, Integers

_SMALLEST = 1e-300


def likelihood_of(*, labels: Integers, confusion: Floats) -> Floats:
    """Return P(these n answers | truth) of each class, the highest set to 1: (K,).

    `labels` (n,) and `confusion` (n, K, K) as for `dawid_skene.posterior_of`. Without answers all are 1.
    """
    given = np.asarray(labels, dtype=np.int64)
    chances = confusion[np.arange(len(given)), :, given]
    score = np.log(np.maximum(chances, _SMALLEST)).sum(axis=0)
    return np.asarray(np.exp(score - score.max()), dtype=np.float64)


def of_answers(likelihood: Floats, *, label: int) -> float:
    """Return P(truth = label | answers) where all classes are equally common."""
    return float(likelihood[label] / likelihood.sum())


def beside_model(likelihood: Floats, *, label: int, expected: int, chance: float) -> float:
    """Return P(truth = label | answers) where a model gave the class `expected` this `chance` before any answer.

    Where it expected `label`, all of the rest is given to the class that fits the answers next best; where it expected
    another, all of the rest to `label`. Only the two classes that matter are weighed, and nothing else that it thinks.
    """
    if not 0 <= chance <= 1:
        raise ValueError(f"A chance of {chance} lies between 0 and 1.")
    if expected == label:
        rivals = np.delete(likelihood, label)
        own, against = chance * likelihood[label], (1.0 - chance) * (rivals.max() if len(rivals) else 0.0)
    else:
        own, against = (1.0 - chance) * likelihood[label], chance * likelihood[expected]
    return float(own / (own + against)) if own + against > 0 else 0.0
