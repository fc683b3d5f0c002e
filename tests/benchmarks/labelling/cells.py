"""Real cells: white and red cells and platelets (BCCD), and thirteen unequal, noisy types of red cells (Chula).

Cases are whole fields: 60% of them are the pool, 40% are judged by, drawn per seed. Features are an encoder's, the
model is the head that a study's ensemble is made of, macro-F1 over all classes; "reach" is the labels until 90% or 95%
of the F1 of the same model on the whole pool. Budgets end where every label of the pool is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GroupShuffleSplit

from learning.models import fit_head
from tests.benchmarks.labelling import race
from tests.benchmarks.labelling.ours import OURS, RANDOM, RANKED
from tests.benchmarks.labelling.rivals import RIVALS
from tests.benchmarks.reviewing import read_cells

SEEDS = 20
TEST_SHARE = 0.4


@dataclass(frozen=True)
class Way:
    """How a sample is asked: how many to start with and at a time, and up to where every curve is looked at."""

    start: int
    batch: int
    looked_at: int


WAYS = {"bccd": Way(start=10, batch=5, looked_at=100), "chula": Way(start=20, batch=20, looked_at=400)}


class Head(ClassifierMixin, BaseEstimator):
    """`learning.models.fit_head` in the manner of scikit-learn, so that everybody asks the same model."""

    def fit(self, X: NDArray[np.floating], y: NDArray[np.integer]) -> "Head":
        """Fit from zero to rows (N, D) and labels (N,), under the names that scikit-learn gives them."""
        self.classes_ = np.unique(y)
        own = np.searchsorted(self.classes_, y)
        head = fit_head(features=X, labels=own, classes=len(self.classes_))
        self.coef_, self.intercept_ = head.weights.T, head.bias
        return self

    def predict_proba(self, X: NDArray[np.floating]) -> NDArray[np.floating]:
        """Probabilities (N, K) of `classes_`."""
        logits = np.asarray(X, dtype=np.float32) @ self.coef_.T + self.intercept_
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        return logits / logits.sum(axis=1, keepdims=True)


def measure_cells(
    *, kinds: Sequence[str] = tuple(WAYS), seeds: int = SEEDS, rivals: bool = True, features: str = "colour-texture"
) -> dict[str, Any]:
    """Labels to 95% on each sample, against chance and the best of scikit-activeml's strategies."""
    result: dict[str, Any] = {"features": features}
    names = [*OURS, *(RIVALS if rivals else [])]
    for kind in kinds:
        if read_cells(kind) is None:
            result[kind] = "The sample is absent; set CONCORD_SHARED to the folder that has it."
            continue
        runs = race.hold(names, range(seeds), one=partial(run_one, kind))
        others = list(RIVALS) if rivals else ["concord margin"]
        looked_at = WAYS[kind].looked_at
        at = (looked_at // 4, looked_at // 2, looked_at)
        result[kind] = race.summarise(runs, ours=RANKED, random=RANDOM, rivals=others, at=at)
    return result


def run_one(kind: str, name: str, seed: int) -> dict[str, float]:
    """One strategy on one split by case."""
    return race.run({**OURS, **RIVALS}[name], split(kind, seed), seed=seed)


def split(kind: str, seed: int) -> race.Pool:
    """Pool and cases to judge by of one seed."""
    features, labels, cases = _read(kind)
    divide = GroupShuffleSplit(n_splits=1, test_size=TEST_SHARE, random_state=seed)
    pool, test = next(divide.split(features, labels, groups=cases))
    way = WAYS[kind]
    return race.Pool(
        rows=features[pool],
        labels=labels[pool],
        test_rows=features[test],
        test_labels=labels[test],
        classes=int(labels.max()) + 1,
        make_model=Head,
        start=way.start,
        batch=way.batch,
        budget=len(pool),
        looked_at=way.looked_at,
    )


@cache
def _read(kind: str) -> tuple[race.Floats, race.Ints, race.Ints]:
    cells = read_cells(kind)
    assert cells is not None
    return cells.features.astype(np.float32), cells.labels, cells.cases
