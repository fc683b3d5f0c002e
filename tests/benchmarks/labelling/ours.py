"""Our strategies, as a study's worker calls them: a request in, a batch out, nothing left to chance."""

from collections.abc import Callable
from functools import partial

import numpy as np

from learning.features.rows import FeatureRows
from learning.models import Ensemble, OutOfFold
from learning.models.heads import UNSEEN
from learning.query import Scores, SelectionRequest, score_blocks, select_batch
from tests.benchmarks.labelling.race import Ints, Model, Picker, Pool

RANDOM, RANKED = "random", "concord ranked"
COLD_LABELS_PER_CLASS = 2
"""As long as `ranked` begins with the cold start: a first model tells little."""


def _pick(
    pool: Pool, model: Model | None, taken: Ints, *, count: int, seed: int, strategy: str, cold: str, cold_labels: int
) -> Ints:
    if len(taken) < cold_labels * pool.classes:
        model = None
    request = SelectionRequest(
        features=FeatureRows([pool.rows]),
        available=np.setdiff1d(np.arange(len(pool.rows)), taken),
        taken=taken,
        domains=np.zeros(len(pool.rows), dtype=np.int64),
        class_codes=tuple(f"class {number}" for number in range(pool.classes)),
        labelled=np.bincount(pool.labels[taken], minlength=pool.classes),
        count=count,
        seed=seed,
        strategy=cold if model is None else strategy,
        scores=None if model is None else _rate(model, pool),
        random_share=0.0,
    )
    return select_batch(request).indices


def _rate(model: Model, pool: Pool) -> Scores:
    return score_blocks(as_ensemble(model, pool), pool.rows)


def as_ensemble(model: Model, pool: Pool) -> Ensemble:
    """A linear classifier of scikit-learn's manner as an ensemble of one."""
    weights = np.zeros((1, pool.rows.shape[1], pool.classes), dtype=np.float32)
    biases = np.full((1, pool.classes), UNSEEN, dtype=np.float32)
    seen = model.classes_
    coefficients, offsets = np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)  # type: ignore[attr-defined]
    if len(seen) == 2 and len(coefficients) == 1:
        coefficients, offsets = np.vstack([-coefficients, coefficients]) / 2, np.append(-offsets, offsets) / 2
    weights[0][:, seen], biases[0, seen] = coefficients.T, offsets
    nothing = OutOfFold(
        np.zeros(0, dtype=np.int64), np.zeros((0, pool.classes), dtype=np.float32), np.zeros(0, dtype=bool)
    )
    return Ensemble(weights=weights, biases=biases, temperature=1.0, out_of_fold=nothing)


def _own(strategy: str, *, cold: str = "random", cold_labels: int = 0) -> Picker:
    make: Callable[..., Ints] = partial(_pick, strategy=strategy, cold=cold, cold_labels=cold_labels)
    return make


OURS: dict[str, Picker] = {
    RANDOM: _own("random"),
    "concord margin": _own("margin"),
    "concord entropy": _own("entropy"),
    "concord core-set": _own("core_set"),
    "concord BADGE": _own("badge"),
    "concord typicality": _own("cold_start", cold="cold_start"),
    RANKED: _own("ranked", cold="cold_start", cold_labels=COLD_LABELS_PER_CLASS),
}
