"""Margin sampling beside scikit-activeml's: one head, a query of 50, the same rows in the same process.

Decides the size, which the other can bear: it copies the rows to float64. Both begin at the features and end at picks.
"""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from learning.features.rows import FeatureRows
from learning.query import SelectionRequest, score_blocks, select_batch
from tests.benchmarks.ranking import CLASSES, DIMENSIONS, wrap_heads
from tests.benchmarks.usage import Usage

REGIONS, LABELLED, QUERY = 100_000, 1000, 50
TIMES_FASTER = 10.0
MISSING = (
    "skipped: scikit-activeml, the rival of this race, is not installed; make oracles installs it into the environment."
)
Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


def measure_margin(*, regions: int = REGIONS) -> dict[str, Any]:
    """Seconds of both, the bound a tenth of the rival's; and how many of the 50 picks both have."""
    try:
        import skactiveml  # noqa: F401 - only whether it is there
    except ImportError:
        return {"skipped": MISSING}
    rows, known = _draw(regions)
    head = LogisticRegression(max_iter=200).fit(rows[:LABELLED], known[:LABELLED].astype(np.int64))
    _pick_rival(rows[: 2 * LABELLED], known[: 2 * LABELLED], head)  # Imports and caches are no part of a query.
    _pick_ours(rows[: 2 * LABELLED], head)
    with Usage() as rival:
        theirs = _pick_rival(rows, known, head)
    with Usage() as own:
        ours = _pick_ours(rows, head)
    return {
        "regions": regions,
        "dimensions": DIMENSIONS,
        "classes": CLASSES,
        "seconds": round(own.seconds, 3),
        "bound_seconds": round(rival.seconds / TIMES_FASTER, 3),
        "processor_seconds": round(own.processor_seconds, 3),
        "baseline": "scikit-activeml's UncertaintySampling(method='margin_sampling') with the same fitted head",
        "baseline_seconds": round(rival.seconds, 3),
        "baseline_processor_seconds": round(rival.processor_seconds, 3),
        "times_faster": round(rival.seconds / own.seconds, 1),
        "times_fewer_processor_seconds": round(rival.processor_seconds / own.processor_seconds, 1),
        "same_picks": len(np.intersect1d(ours, theirs)),
        "query": QUERY,
        "load": round(os.getloadavg()[0], 1),
    }


def _draw(regions: int) -> tuple[Floats, NDArray[np.float64]]:
    """Rows around the centres of their classes, float32; labels of the first thousand, NaN of the rest."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, CLASSES, regions)
    labels[:CLASSES] = np.arange(CLASSES)
    centres = 0.1 * generator.standard_normal((CLASSES, DIMENSIONS), dtype=np.float32)
    rows = generator.standard_normal((regions, DIMENSIONS), dtype=np.float32)
    rows += centres[labels]
    known = labels.astype(np.float64)
    known[LABELLED:] = np.nan
    return rows, known


def _pick_rival(rows: Floats, known: NDArray[np.float64], head: LogisticRegression) -> Ints:
    import skactiveml.pool
    from skactiveml.classifier import SklearnClassifier

    model = SklearnClassifier(head, classes=range(CLASSES), missing_label=np.nan)
    model.fit(rows[:LABELLED], known[:LABELLED])
    query = skactiveml.pool.UncertaintySampling(method="margin_sampling", random_state=0)
    return np.asarray(query.query(X=rows, y=known, clf=model, fit_clf=False, batch_size=QUERY), dtype=np.int64)


def _pick_ours(rows: Floats, head: LogisticRegression) -> Ints:
    weights = np.ascontiguousarray(head.coef_.T[None], dtype=np.float32)
    ensemble = wrap_heads(weights, head.intercept_[None].astype(np.float32))
    request = SelectionRequest(
        features=FeatureRows([rows]),
        available=np.arange(LABELLED, len(rows)),
        taken=np.arange(LABELLED),
        domains=np.zeros(len(rows), dtype=np.int64),
        class_codes=tuple(str(index) for index in range(CLASSES)),
        labelled=np.zeros(CLASSES, dtype=np.int64),
        count=QUERY,
        seed=0,
        strategy="margin",
        scores=score_blocks(ensemble, rows),
        random_share=0.0,
    )
    return select_batch(request).indices
