"""Margin sampling beside scikit-activeml's: one head, a query of 50, the same rows in the same process.

Decides the size: that of `ranking`, a large study's. Both begin at the features and end at picks, with a head that is
fitted already; how long the other takes as it is called by default, where it fits the head again, is told too.
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

REGIONS, LABELLED, QUERY = 1_000_000, 1000, 50
ROUNDS = 5  # the quickest of each counts: what else the machine does then disturbs both least
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
    # Imports and caches are no part of a query.
    _pick_rival(rows[: 2 * LABELLED], known[: 2 * LABELLED], head, fit=True)
    _pick_ours(rows[: 2 * LABELLED], head)
    rounds = [_race(rows, known, head) for _ in range(ROUNDS)]
    own, rival, default = (min(one[place].seconds for one in rounds) for place in range(3))
    processor = [min(one[place].processor_seconds for one in rounds) for place in range(3)]
    theirs, ours = _pick_rival(rows, known, head, fit=False), _pick_ours(rows, head)
    return {
        "regions": regions,
        "dimensions": DIMENSIONS,
        "classes": CLASSES,
        "seconds": round(own, 3),
        "bound_seconds": round(rival / TIMES_FASTER, 3),
        "processor_seconds": round(processor[0], 3),
        "baseline": "scikit-activeml's UncertaintySampling(method='margin_sampling') with the same fitted head",
        "baseline_seconds": round(rival, 3),
        "baseline_processor_seconds": round(processor[1], 3),
        "times_faster": round(rival / own, 1),
        "times_fewer_processor_seconds": round(processor[1] / processor[0], 1),
        "default_call_seconds": round(default, 3),
        "default_call_processor_seconds": round(processor[2], 3),
        "times_faster_than_default_call": round(default / own, 1),
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


def _race(rows: Floats, known: NDArray[np.float64], head: LogisticRegression) -> tuple[Usage, Usage, Usage]:
    """What ours, the rival with the fitted head, and the rival as called by default cost, one after the other."""
    with Usage() as own:
        _pick_ours(rows, head)
    with Usage() as rival:
        _pick_rival(rows, known, head, fit=False)
    with Usage() as default:
        _pick_rival(rows, known, head, fit=True)
    return own, rival, default


def _pick_rival(rows: Floats, known: NDArray[np.float64], head: LogisticRegression, *, fit: bool) -> Ints:
    import skactiveml.pool
    from skactiveml.classifier import SklearnClassifier

    model = SklearnClassifier(head, classes=range(CLASSES), missing_label=np.nan)
    query = skactiveml.pool.UncertaintySampling(method="margin_sampling", random_state=0)
    return np.asarray(query.query(X=rows, y=known, clf=model, fit_clf=fit, batch_size=QUERY), dtype=np.int64)


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
