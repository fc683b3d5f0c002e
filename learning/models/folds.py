"""Which case is held out by which member of the ensemble.

Decides folds so that no case is on both sides and rare classes are spread. Refuses to know features.
"""

import numpy as np
from numpy.typing import NDArray


def assign_folds(
    *, labels: NDArray[np.integer], groups: NDArray[np.integer], classes: int, folds: int, seed: int
) -> NDArray[np.int64]:
    """Fold of each item (N,), in 0..F-1 where F is the number of folds or of cases, whichever is less.

    Cases stay whole: items of one case in both halves inflate every estimate (Bussola et al. 2019).
    With a single case there is nothing to hold out, and items are dealt to folds one by one instead.
    The richest case is placed first, each where the class shares of the folds stay most even.
    """
    cases, case_of = np.unique(groups, return_inverse=True)
    if len(cases) == 1:
        case_of = np.arange(len(labels))
    counts = np.zeros((case_of.max() + 1, classes))
    np.add.at(counts, (case_of, labels), 1.0)
    counts /= np.maximum(counts.sum(axis=0), 1.0)
    number = min(folds, len(counts))
    generator = np.random.default_rng(seed)
    shuffled = generator.permutation(len(counts))
    order = shuffled[np.argsort(-np.square(counts[shuffled]).sum(axis=1), kind="stable")]
    fold_of_case = _deal(counts, order, number)
    result: NDArray[np.int64] = fold_of_case[case_of]
    return result


def _deal(counts: NDArray[np.float64], order: NDArray[np.integer], number: int) -> NDArray[np.int64]:
    held = np.zeros((number, counts.shape[1]))
    cases = np.zeros(number)
    fold_of_case = np.zeros(len(counts), dtype=np.int64)
    for position, case in enumerate(order):
        cost = (held * counts[case]).sum(axis=1) + 1e-6 * cases
        # Every fold gets a case before any gets many, or a member would be trained on everything.
        cost[cases > position // number] += 1e-3
        fold = int(np.argmin(np.where(cases == 0, cost - 10.0, cost)))
        fold_of_case[case] = fold
        held[fold] += counts[case]
        cases[fold] += 1
    return fold_of_case
