"""Digits: the protocol of section A2 of the design's learning notes.

Standardised digits, stratified 60/40 split per seed, ten labels to start, batches of five up to 200, logistic
regression (C = 1), macro-F1 on the test part; "reach" is the labels until 90% or 95% of the F1 of the same model on the
whole pool, 205 where it is never reached. Imbalanced: the pool's classes thinned geometrically to 5%, in an order drawn
per seed; the test part is left as it is.
"""

import warnings
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from tests.benchmarks.labelling import race
from tests.benchmarks.labelling.ours import OURS, RANDOM, RANKED
from tests.benchmarks.labelling.rivals import RIVALS

SEEDS = 60
CLASSES = 10
MOST = {"digits": 0.56, "digits_imbalanced": 0.43}
"""Labels to 95%, of those that chance needs."""


def measure_labelling(*, seeds: int = SEEDS, rivals: bool = True) -> dict[str, Any]:
    """Balanced and imbalanced digits: labels to 90% and 95%, against chance and the best of scikit-activeml's."""
    names = [*OURS, *(RIVALS if rivals else [])]
    result: dict[str, Any] = {}
    for kind, most in MOST.items():
        runs = race.hold(names, range(seeds), one=partial(run_one, kind))
        others = list(RIVALS) if rivals else ["concord margin"]
        result[kind] = race.summarise(runs, ours=RANKED, random=RANDOM, rivals=others, at=(30, 50, 100), most=most)
    return result


def run_one(kind: str, name: str, seed: int) -> dict[str, float]:
    """One strategy on one split."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return race.run({**OURS, **RIVALS}[name], split(seed, is_imbalanced=kind != "digits"), seed=seed)


def split(seed: int, *, is_imbalanced: bool) -> race.Pool:
    """Pool and test part of one seed."""
    data = load_digits()
    rows = (data.data - data.data.mean(axis=0)) / np.maximum(data.data.std(axis=0), 1e-9)
    pool, test, labels, test_labels = train_test_split(
        rows, data.target, test_size=0.4, stratify=data.target, random_state=seed
    )
    if is_imbalanced:
        kept = _thin(labels, np.random.default_rng(seed))
        pool, labels = pool[kept], labels[kept]
    return race.Pool(
        rows=pool.astype(np.float32),
        labels=labels.astype(np.int64),
        test_rows=test.astype(np.float32),
        test_labels=test_labels.astype(np.int64),
        classes=CLASSES,
        make_model=partial(LogisticRegression, C=1.0, max_iter=300),
    )


def _thin(labels: NDArray[np.int64], generator: np.random.Generator) -> NDArray[np.int64]:
    shares = np.geomspace(1.0, 0.05, CLASSES)[generator.permutation(CLASSES)]
    kept = [
        generator.permutation(np.flatnonzero(labels == digit))[: max(8, round(share * (labels == digit).sum()))]
        for digit, share in enumerate(shares)
    ]
    return np.sort(np.concatenate(kept))
