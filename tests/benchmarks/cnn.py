"""The encoder `study-cnn` on real red cells, fields held out whole: how good, and how long it takes to train."""

import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from learning import metrics
from learning.features.cnn.network import ResidualNetwork, prepare
from learning.features.cnn.training import CnnSettings, train
from learning.features.encoder import resize_regions
from learning.models import folds
from tests.benchmarks.encoding import cut_cells, find_chula

FOLDS = 5
SECONDS = 300


def measure_cnn(*, settings: CnnSettings | None = None, only: int = FOLDS) -> dict[str, Any]:
    """Accuracy and macro-F1 over five folds by field, and the longest training, in seconds."""
    folder = find_chula()
    if folder is None:
        return {"skipped": "The Chula RBC-12 sample is absent; set CONCORD_SHARED to the folder that has it."}
    settings = settings or CnnSettings(is_half=True)
    cells, types, fields = cut_cells(folder)
    cells = resize_regions(cells, edge=settings.network.edge)
    classes = int(types.max()) + 1
    fold = folds.assign_folds(labels=types, groups=fields, classes=classes, folds=FOLDS, seed=0)
    said, taken = np.full(len(types), -1), []
    for held in range(only):
        kept = fold != held
        started = time.perf_counter()
        network = train(pixels=cells[kept], labels=types[kept], classes=classes, settings=settings)
        taken.append(time.perf_counter() - started)
        said[~kept] = answer(network, cells[~kept]).argmax(axis=1)
    judged = said >= 0
    confusion = metrics.count_confusion(truth=types[judged], predicted=said[judged], classes=classes)
    return {
        "regions": len(cells),
        "folds": only,
        "accuracy": round(float(metrics.measure_accuracy(confusion)), 3),
        "macro_f1": round(float(metrics.measure_macro_f1(confusion)), 3),
        "f1": np.round(metrics.measure_f1(confusion), 2).tolist(),
        "seconds": round(max(taken), 1),
        "bound_seconds": SECONDS,
    }


def answer(network: ResidualNetwork, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Logits (N, K) of regions, the mean over four turns and their mirror images."""
    result = []
    with torch.inference_mode():
        for start in range(0, len(pixels), 256):
            block = prepare(pixels[start : start + 256])
            views = [torch.rot90(one, turn, (2, 3)) for one in (block, block.flip(3)) for turn in range(4)]
            result.append(torch.stack([network(view) for view in views]).mean(dim=0).numpy())
    return np.concatenate(result)
