"""scikit-activeml's strategies, with their defaults, asking the same model (`make oracles` installs it)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tests.benchmarks.labelling.race import Ints, Model, Picker, Pool

TYPICAL_START = 20


def _query(pool: Pool, taken: Ints, *, count: int, seed: int, strategy: str, model_as: str, **options: Any) -> Ints:
    import skactiveml.pool
    from skactiveml.classifier import SklearnClassifier

    known = np.full(len(pool.rows), np.nan)
    known[taken] = pool.labels[taken]
    more = {}
    if model_as:
        more[model_as] = SklearnClassifier(pool.make_model(), classes=range(pool.classes), missing_label=np.nan)
    query = getattr(skactiveml.pool, strategy)(random_state=seed % 2**31, **options)
    return np.asarray(query.query(X=pool.rows, y=known, batch_size=count, **more), dtype=np.int64)


def _pick(
    pool: Pool,
    model: Model | None,
    taken: Ints,
    *,
    count: int,
    seed: int,
    strategy: str,
    starts_itself: bool = False,
    model_as: str = "clf",
    **options: Any,
) -> Ints:
    if model is None and not starts_itself:
        return np.random.default_rng(seed).permutation(len(pool.rows))[:count]
    return _query(pool, taken, count=count, seed=seed, strategy=strategy, model_as=model_as, **options)


def _typical_then_margin(pool: Pool, model: Model | None, taken: Ints, *, count: int, seed: int) -> Ints:
    if len(taken) < TYPICAL_START:
        return _query(pool, taken, count=count, seed=seed, strategy="TypiClust", model_as="")
    options = {"strategy": "UncertaintySampling", "method": "margin_sampling"}
    return _query(pool, taken, count=count, seed=seed, model_as="clf", **options)


def _rival(**options: Any) -> Picker:
    make: Callable[..., Ints] = partial(_pick, **options)
    return make


RIVALS: dict[str, Picker] = {
    "skactiveml margin": _rival(strategy="UncertaintySampling", method="margin_sampling"),
    "skactiveml entropy": _rival(strategy="UncertaintySampling", method="entropy"),
    "skactiveml BADGE": _rival(strategy="Badge"),
    "skactiveml CLUE": _rival(strategy="Clue", model_as="estimator"),
    "skactiveml CoreSet": _rival(strategy="CoreSet", model_as=""),
    "skactiveml Falcun": _rival(strategy="Falcun"),
    "skactiveml TypiClust": _rival(strategy="TypiClust", starts_itself=True, model_as=""),
    "skactiveml TypiClust, margin from 20": _typical_then_margin,
}
