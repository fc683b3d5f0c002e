"""How many labels a strategy needs: the protocol of section A2 of the design's learning notes, on digits.

Standardised digits, stratified 60/40 split per seed, ten labels to start, batches of five up to 200,
logistic regression (C = 1), macro-F1 on the test part; "reach" is the labels until 90% or 95% of the
F1 of the same model on the whole pool, 205 where it is never reached.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split

from learning.features.rows import FeatureRows
from learning.models import Ensemble, OutOfFold
from learning.models.heads import UNSEEN
from learning.query import SelectionRequest, score_blocks, select_batch

START, BATCH, BUDGET, NEVER = 10, 5, 200, 205
CODES = tuple(f"digit {digit}" for digit in range(10))


def measure_labelling(
    *, strategies: Sequence[str] = ("random", "margin", "ranked"), seeds: int = 10, imbalanced: bool = True
) -> dict[str, Any]:
    """Mean labels to 90% and 95% of the full-pool F1, and F1 at 30, 50 and 100 labels, per strategy."""
    result: dict[str, Any] = {}
    for strategy in strategies:
        runs = [_run(strategy, seed=seed, imbalanced=imbalanced) for seed in range(seeds)]
        result[strategy] = {name: round(float(np.mean([run[name] for run in runs])), 3) for name in runs[0]}
    for strategy in strategies[1:]:
        base = result[strategies[0]]
        result[strategy]["ratio_to_random_95"] = round(result[strategy]["reach_95"] / base["reach_95"], 3)
    return result


def _run(strategy: str, *, seed: int, imbalanced: bool) -> dict[str, float]:
    rows, labels, test_rows, test_labels = _split(seed, imbalanced)
    full = _score(_fit(rows, labels), test_rows, test_labels)
    cold = "cold_start" if strategy == "ranked" else "random"
    taken = _pick(cold, rows, None, np.arange(0), count=START, seed=seed)
    curve = {}
    while True:
        model = _fit(rows[taken], labels[taken])
        curve[len(taken)] = _score(model, test_rows, test_labels)
        if len(taken) >= BUDGET:
            break
        taken = np.concatenate([taken, _pick(strategy, rows, model, taken, count=BATCH, seed=seed + len(taken))])
    reach = {
        f"reach_{share}": next((n for n, f1 in curve.items() if f1 >= full * share / 100), NEVER) for share in (90, 95)
    }
    return reach | {f"f1_at_{n}": curve[n] for n in (30, 50, 100)}


def _split(seed: int, imbalanced: bool) -> tuple[NDArray[Any], ...]:
    data = load_digits()
    rows = (data.data - data.data.mean(axis=0)) / np.maximum(data.data.std(axis=0), 1e-9)
    pool, test, labels, test_labels = train_test_split(
        rows, data.target, test_size=0.4, stratify=data.target, random_state=seed
    )
    if imbalanced:
        generator = np.random.default_rng(seed)
        shares = np.geomspace(1.0, 0.05, 10)[generator.permutation(10)]
        kept = [
            generator.permutation(np.flatnonzero(labels == digit))[: max(8, round(share * (labels == digit).sum()))]
            for digit, share in enumerate(shares)
        ]
        chosen = np.sort(np.concatenate(kept))
        pool, labels = pool[chosen], labels[chosen]
    return pool.astype(np.float32), labels, test.astype(np.float32), test_labels


def _fit(rows: NDArray[np.float32], labels: NDArray[np.int64]) -> Ensemble:
    weights = np.zeros((1, rows.shape[1], 10), dtype=np.float32)
    biases = np.full((1, 10), UNSEEN, dtype=np.float32)
    seen = np.unique(labels)
    if len(seen) == 1:
        biases[0, seen] = 0.0
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = LogisticRegression(C=1.0, max_iter=300).fit(rows, labels)
        coefficients, offsets = model.coef_, model.intercept_
        if len(seen) == 2:
            coefficients, offsets = np.vstack([-coefficients, coefficients]) / 2, np.append(-offsets, offsets) / 2
        weights[0][:, seen], biases[0, seen] = coefficients.T, offsets
    nothing = OutOfFold(np.zeros(0, dtype=np.int64), np.zeros((0, 10), dtype=np.float32), np.zeros(0, dtype=bool))
    return Ensemble(weights=weights, biases=biases, temperature=1.0, out_of_fold=nothing)


def _score(model: Ensemble, rows: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    return float(f1_score(labels, model.mean_proba(rows).argmax(axis=1), average="macro", zero_division=0))


def _pick(
    strategy: str, rows: NDArray[np.float32], model: Ensemble | None, taken: NDArray[np.int64], *, count: int, seed: int
) -> NDArray[np.int64]:
    request = SelectionRequest(
        features=FeatureRows([rows]),
        available=np.setdiff1d(np.arange(len(rows)), taken),
        taken=taken,
        domains=np.zeros(len(rows), dtype=np.int64),
        class_codes=CODES,
        count=count,
        seed=seed,
        strategy=strategy,
        scores=None if model is None else score_blocks(model, rows),
        random_share=0.0,
    )
    return select_batch(request).indices
