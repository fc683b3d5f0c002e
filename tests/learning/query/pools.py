"""Pools to select from: blobs in features, a model of them, some rows labelled."""

from dataclasses import replace

import numpy as np

from learning.features.rows import FeatureRows
from learning.models import Ensemble, train_ensemble
from learning.query import SelectionRequest, score_blocks
from tests.learning.models.blobs import draw_blobs

CODES = ("neutrophil", "lymphocyte", "monocyte", "eosinophil")


def train_small(*, seed: int = 0) -> Ensemble:
    blobs = draw_blobs(count=80, seed=seed)
    return train_ensemble(features=blobs.features, labels=blobs.labels, groups=blobs.groups, classes=4, seed=0)


def make_request(*, size: int = 600, seed: int = 0, **changes: object) -> SelectionRequest:
    """Two shards of blobs in three domains; the first 40 rows are labelled, the last 60 not to be picked."""
    blobs = draw_blobs(count=size, seed=seed + 10)
    generator = np.random.default_rng(seed)
    available = np.arange(40, size - 60)
    available.flags.writeable = False  # strategies get it as it is
    request = SelectionRequest(
        features=FeatureRows([blobs.features[: size // 3], blobs.features[size // 3 :]]),
        available=available,
        taken=np.arange(40),
        domains=generator.choice(3, size, p=[0.6, 0.3, 0.1]),
        class_codes=CODES,
        labelled=np.bincount(blobs.labels[:40], minlength=4),
        count=20,
        seed=seed,
        scores=score_blocks(train_small(), blobs.features, block=128),
    )
    return replace(request, **changes)  # type: ignore[arg-type]
