"""Real cells: white and red cells and platelets (BCCD), and thirteen unequal, noisy types of red cells (Chula).

Cases are whole fields: 60% of them are the pool, 40% are judged by, drawn per seed. Features are an encoder's, the
model is the head that a study's ensemble is made of, macro-F1 over all classes; "reach" is the labels until 90% or 95%
of the F1 of the same model on the whole pool. Whoever is not there when the budget ends counts as if there at the next
batch, which flatters the slow.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GroupShuffleSplit

from learning.models import fit_head
from tests.benchmarks.labelling import learned, race
from tests.benchmarks.labelling.ours import OURS, RANDOM, RANKED
from tests.benchmarks.labelling.rivals import RIVALS
from tests.benchmarks.reviewing import read_cells

SEEDS = 20
TEST_SHARE = 0.4
KEPT_FITS = 4


OWN = (RANDOM, "concord margin", RANKED)  # what the others are worth, the digits tell


@dataclass(frozen=True)
class Way:
    """How a sample is asked: how many to start with and at a time, the budget, where every curve is looked at.

    `most`: labels to 95%, of those that chance needs.
    """

    kind: str
    start: int
    batch: int
    budget: int
    looked_at: int
    most: float
    is_learned: bool = False
    """Whether the features are those of a `study-cnn` beside the fixed ones, instead of the fixed ones alone."""


WAYS = {
    "bccd": Way("bccd", start=10, batch=5, budget=500, looked_at=100, most=0.5),
    "chula": Way("chula", start=40, batch=40, budget=1600, looked_at=320, most=0.75),
    "chula, study-cnn": Way("chula", start=40, batch=40, budget=1600, looked_at=320, most=0.75, is_learned=True),
}


class Head(ClassifierMixin, BaseEstimator):
    """`learning.models.fit_head` in the manner of scikit-learn, so that everybody asks the same model.

    The last fits are kept: a rival's library fits the model once more that it is given.
    """

    _last: ClassVar[OrderedDict[bytes, Any]] = OrderedDict()

    def fit(self, X: NDArray[np.floating], y: NDArray[np.integer]) -> "Head":
        """Fit from zero to rows (N, D) and labels (N,), under the names that scikit-learn gives them."""
        rows, labels = np.ascontiguousarray(X, dtype=np.float32), np.ascontiguousarray(y, dtype=np.int64)
        self.classes_ = np.unique(labels)
        name = hashlib.blake2b(rows.tobytes() + labels.tobytes()).digest()
        if name not in self._last:
            own = np.searchsorted(self.classes_, labels)
            self._last[name] = fit_head(features=rows, labels=own, classes=len(self.classes_))
        self._last.move_to_end(name)
        if len(self._last) > KEPT_FITS:
            self._last.popitem(last=False)
        head = self._last[name]
        self.coef_, self.intercept_ = head.weights.T, head.bias
        return self

    def predict_proba(self, X: NDArray[np.floating]) -> NDArray[np.floating]:
        """Probabilities (N, K) of `classes_`."""
        logits = np.asarray(X, dtype=np.float32) @ self.coef_.T + self.intercept_
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        return logits / logits.sum(axis=1, keepdims=True)


def measure_cells(*, seeds: int = SEEDS, rivals: bool = True) -> dict[str, Any]:
    """Labels to 95% on both samples, against chance and the best of scikit-activeml's strategies."""
    return _measure([name for name, way in WAYS.items() if not way.is_learned], seeds=seeds, rivals=rivals)


def measure_cells_learned(*, seeds: int = SEEDS, rivals: bool = True) -> dict[str, Any]:
    """The same on features that a network has learned, from other fields than those asked about and judged by."""
    return _measure([name for name, way in WAYS.items() if way.is_learned], seeds=seeds, rivals=rivals)


def _measure(names: list[str], *, seeds: int, rivals: bool) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name in names:
        way = WAYS[name]
        if read_cells(way.kind) is None:
            result[name] = "The sample is absent; set CONCORD_SHARED to the folder that has it."
            continue
        _read(way, 0)  # what is cut, encoded and learned lies below var/ before processes ask for it side by side
        runs = race.hold([*OWN, *(RIVALS if rivals else [])], range(seeds), one=partial(run_one, name))
        others = list(RIVALS) if rivals else ["concord margin"]
        at = (way.looked_at // 4, way.looked_at // 2, way.looked_at)
        result[name] = race.summarise(runs, ours=RANKED, random=RANDOM, rivals=others, at=at, most=way.most)
    return result


def run_one(way: str, name: str, seed: int) -> dict[str, float]:
    """One strategy on one split by case."""
    return race.run({**OURS, **RIVALS}[name], split(WAYS[way], seed), seed=seed)


def split(way: Way, seed: int) -> race.Pool:
    """Pool and cases to judge by of one seed."""
    features, labels, cases = _read(way, seed % learned.PARTS if way.is_learned else 0)
    divide = GroupShuffleSplit(n_splits=1, test_size=TEST_SHARE, random_state=seed)
    pool, test = next(divide.split(features, labels, groups=cases))
    return race.Pool(
        rows=features[pool],
        labels=labels[pool],
        test_rows=features[test],
        test_labels=labels[test],
        classes=int(labels.max()) + 1,
        make_model=Head,
        start=way.start,
        batch=way.batch,
        budget=way.budget,
        looked_at=way.looked_at,
    )


@cache
def _read(way: Way, part: int) -> tuple[race.Floats, race.Ints, race.Ints]:
    if way.is_learned:
        return learned.read(part)
    cells = read_cells(way.kind)
    assert cells is not None
    return cells.features.astype(np.float32), cells.labels, cells.cases
