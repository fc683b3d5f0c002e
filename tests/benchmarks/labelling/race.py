"""One strategy's way through a pool, and what many ways of several strategies say together.

Decides how a curve is measured, when a target is reached, and which intervals are drawn; knows no strategy.
"""

import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score
from threadpoolctl import threadpool_limits

from tests.benchmarks import redrawing

Floats, Ints = NDArray[np.float32], NDArray[np.int64]
SHARES = (90, 95)
REACHES = tuple(f"reach_{share}" for share in SHARES)


class Model(Protocol):
    """A classifier in the manner of scikit-learn; `classes_` are the labels it has seen."""

    classes_: Ints

    def fit(self, rows: Floats, labels: Ints) -> "Model": ...

    def predict_proba(self, rows: Floats) -> NDArray[np.floating]: ...


@dataclass(frozen=True)
class Pool:
    """Rows (N, D) to ask about with labels (N,), rows to judge by, and the model that learns and is judged."""

    rows: Floats
    labels: Ints
    test_rows: Floats
    test_labels: Ints
    classes: int
    make_model: Callable[[], Model] = field(compare=False)
    start: int = 10
    batch: int = 5
    budget: int = 200
    looked_at: int = 100
    """The curve goes on to here at least; past it, until the target is reached."""


class Picker(Protocol):
    """Rows to ask about next. `model` is None before there is a label; labels are read at `taken` only."""

    def __call__(self, pool: Pool, model: Model | None, taken: Ints, *, count: int, seed: int) -> Ints: ...


def run(picker: Picker, pool: Pool, *, seed: int) -> dict[str, float]:
    """Labels to 90% and 95% of the full-pool macro-F1 (budget + batch where never reached) and the curve."""
    full = score(pool.make_model().fit(pool.rows, pool.labels), pool)
    taken = picker(pool, None, np.arange(0), count=pool.start, seed=seed)
    assert len(set(taken.tolist())) == pool.start
    curve: dict[int, float] = {}
    budget = min(pool.budget, len(pool.rows))
    while True:
        # In the pool's order, in which others' libraries fit it again: so it is the same model to the last bit.
        known = np.sort(taken)
        model = pool.make_model().fit(pool.rows[known], pool.labels[known])
        curve[len(taken)] = score(model, pool)
        has_reached = max(curve.values()) >= full * max(SHARES) / 100
        if len(taken) >= (min(pool.looked_at, budget) if has_reached else budget):
            break
        wanted = min(pool.batch, budget - len(taken))
        more = picker(pool, model, taken, count=wanted, seed=seed + 1000 * len(taken))
        taken = np.concatenate([taken, more])
        assert len(set(taken.tolist())) == len(taken)
    never = budget + pool.batch
    reached = {
        f"reach_{share}": next((n for n, value in curve.items() if value >= full * share / 100), never)
        for share in SHARES
    }
    return {**reached, "full": full, **{f"f1_at_{n}": value for n, value in curve.items()}}


def score(model: Model, pool: Pool) -> float:
    """Macro-F1 on the rows held out, over the classes that are there or were said."""
    found = model.classes_[model.predict_proba(pool.test_rows).argmax(axis=1)]
    return float(f1_score(pool.test_labels, found, average="macro", zero_division=0))


Runs = dict[str, dict[int, dict[str, float]]]
"""Strategy -> seed -> what `run` found."""


def hold(
    names: Iterable[str], seeds: Iterable[int], *, one: Callable[[str, int], dict[str, float]], workers: int = 0
) -> Runs:
    """Every strategy with every seed, side by side in processes of one BLAS thread each; stderr hears of each seed."""
    jobs = [(name, seed) for seed in seeds for name in names]
    runs: Runs = {name: {} for name in names}
    begun = time.monotonic()
    with ProcessPoolExecutor(workers or os.cpu_count(), initializer=threadpool_limits, initargs=(1,)) as pool:
        for (name, seed), found in zip(jobs, pool.map(one, *zip(*jobs, strict=True), chunksize=1), strict=True):
            runs[name][seed] = found
            if name == jobs[-1][0]:
                print(f"seed {seed} after {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    return runs


def summarise(
    runs: Runs, *, ours: str, random: str, rivals: Sequence[str], at: Sequence[int], most: float
) -> dict[str, Any]:
    """A row for each strategy; ours against chance and, in pairs of seeds, against the best of the rivals.

    It holds where ours needs at most the share `most` of what chance needs, surely less than chance, and no rival is
    clearly better.
    """
    seeds = sorted(runs[ours])
    table = {
        name: {
            **{key: round(float(np.mean([found[key] for found in of.values()])), 1) for key in REACHES},
            "ratio_to_random_95": redrawing.bound_ratio(_reach(of, seeds), _reach(runs[random], seeds)),
            **{f"f1_at_{n}": round(float(np.nanmean([_at(found, n) for found in of.values()])), 3) for n in at},
        }
        for name, of in runs.items()
    }
    best = min(rivals, key=lambda name: table[name]["reach_95"])
    clearly_better = [
        name
        for name in rivals
        if redrawing.bound_mean(_reach(runs[ours], seeds) - _reach(runs[name], seeds))["low"] > 0
    ]
    ratio = table[ours]["ratio_to_random_95"]
    return {
        "seeds": len(seeds),
        "full_pool_macro_f1": round(float(np.mean([found["full"] for found in runs[ours].values()])), 3),
        "ours": ours,
        "best_rival": best,
        "labels_fewer_than_best_rival": redrawing.bound_mean(_reach(runs[best], seeds) - _reach(runs[ours], seeds)),
        "ratio_to_best_rival": redrawing.bound_ratio(_reach(runs[ours], seeds), _reach(runs[best], seeds)),
        "clearly_better_rivals": clearly_better,
        "most_of_random": most,
        "holds": ratio["value"] <= most and ratio["high"] < 1 and not clearly_better,
        "strategies": table,
    }


def _reach(of: Mapping[int, Mapping[str, float]], seeds: Sequence[int]) -> NDArray[np.float64]:
    return np.array([of[seed]["reach_95"] for seed in seeds])


def _at(found: Mapping[str, float], labels: int) -> float:
    return found.get(f"f1_at_{labels}", np.nan)
