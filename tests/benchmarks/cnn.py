"""The encoder `study-cnn` on real red cells, whole fields held out: how good, how long it takes, what a start adds.

A network is trained on four fifths of the fields; heads are fitted, as in a study, on its features beside the fixed
ones of the same regions. The start without labels has looked at the pixels of all regions, as it may in a study, and at
no label; it is compared on a quarter of the labelled fields, by pairs of the same fold and seed.
"""

import time
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning import metrics
from learning.features import get_encoder
from learning.features.cnn import encoder, training
from learning.features.cnn.network import ResidualNetwork
from learning.features.cnn.pretraining import PretrainingSettings, pretrain
from learning.features.encoder import resize_regions
from learning.models import folds, train_ensemble
from tests.benchmarks.encoding import cut_cells, find_chula

FOLDS = 5
SECONDS = 300
LEAST = {"accuracy": 0.77, "macro_f1": 0.66}
ABSENT = {"skipped": "The Chula RBC-12 sample is absent; set CONCORD_SHARED to the folder that has it."}

Ints = NDArray[np.int64]


class Cells:
    """The sample, its folds by field, and its fixed features."""

    def __init__(self, settings: training.CnnSettings) -> None:
        folder = find_chula()
        assert folder is not None
        whole, self.labels, self.fields = cut_cells(folder)
        self.classes = int(self.labels.max()) + 1
        self.pixels = resize_regions(whole, edge=settings.network.edge)
        self.fixed = get_encoder("colour-texture").encode(whole).astype(np.float32)
        self.fold = folds.assign_folds(
            labels=self.labels, groups=self.fields, classes=self.classes, folds=FOLDS, seed=0
        )

    def answer(self, features: NDArray[np.floating], rows: Ints, held: Ints) -> Ints:
        """What heads fitted on `rows` say of the regions `held`."""
        heads = train_ensemble(
            features=features[rows], labels=self.labels[rows], groups=self.fields[rows], classes=self.classes, seed=0
        )
        return heads.mean_proba(features[held]).argmax(axis=1)

    def judge(self, said: Ints) -> dict[str, Any]:
        """Accuracy and macro-F1 of what was said, -1 where nothing was."""
        judged = said >= 0
        confusion = metrics.count_confusion(truth=self.labels[judged], predicted=said[judged], classes=self.classes)
        return {
            "accuracy": round(float(metrics.measure_accuracy(confusion)), 3),
            "macro_f1": round(float(metrics.measure_macro_f1(confusion)), 3),
            "f1": np.round(metrics.measure_f1(confusion), 2).tolist(),
        }


def measure_cnn(*, settings: training.CnnSettings | None = None, only: int = FOLDS) -> dict[str, Any]:
    """Accuracy and macro-F1 over folds by field, and the longest training in seconds."""
    if find_chula() is None:
        return ABSENT
    settings = settings or training.CnnSettings()
    cells = Cells(settings)
    said = {name: np.full(len(cells.labels), -1) for name in ("fixed features", "network's features", "study-cnn")}
    wall, processor = [], []
    for number in range(only):
        rows, held = np.flatnonzero(cells.fold != number), np.flatnonzero(cells.fold == number)
        begun, spent = time.perf_counter(), time.process_time()
        network = training.train(
            pixels=cells.pixels[rows], labels=cells.labels[rows], classes=cells.classes, settings=settings
        )
        wall.append(time.perf_counter() - begun)
        processor.append(time.process_time() - spent)
        own = look(network, cells, settings)
        both = np.hstack([cells.fixed, own])
        for name, features in zip(said, (cells.fixed, own, both), strict=True):
            said[name][held] = cells.answer(features, rows, held)
    judged = {name: cells.judge(answers) for name, answers in said.items()}
    return {
        "regions": len(cells.labels),
        "folds": only,
        "fields": len(np.unique(cells.fields)),
        **judged,
        "least": LEAST,
        "holds": all(judged["study-cnn"][name] >= least for name, least in LEAST.items()),
        "seconds": round(max(wall), 1),
        "processor_seconds": round(max(processor), 1),
        "bound_seconds": SECONDS,
    }


def measure_start(
    *, settings: training.CnnSettings | None = None, start: PretrainingSettings | None = None, only: int = FOLDS
) -> dict[str, Any]:
    """What a start without labels adds with a quarter of the labelled fields: differences with intervals by field."""
    if find_chula() is None:
        return ABSENT
    settings = settings or replace(training.CnnSettings(), shown=30_000)
    cells = Cells(settings)
    begun = time.perf_counter()
    looked = pretrain(pixels=cells.pixels, settings=start or PretrainingSettings(network=settings.network))
    seconds = time.perf_counter() - begun
    proba = {name: np.zeros((len(cells.labels), cells.classes), dtype=np.float32) for name in ("without", "with")}
    judged = np.zeros(len(cells.labels), dtype=bool)
    for number in range(only):
        fields = np.unique(cells.fields[cells.fold != number])
        few = np.random.default_rng([0, number]).permutation(fields)[: len(fields) // 4]
        rows = np.flatnonzero(np.isin(cells.fields, few))
        held = np.flatnonzero(cells.fold == number)
        judged[held] = True
        for name, begin in (("without", None), ("with", looked)):
            network = training.train(
                pixels=cells.pixels[rows],
                labels=cells.labels[rows],
                classes=cells.classes,
                settings=settings,
                start=begin,
            )
            features = np.hstack([cells.fixed, look(network, cells, settings)])
            heads = train_ensemble(
                features=features[rows],
                labels=cells.labels[rows],
                groups=cells.fields[rows],
                classes=cells.classes,
                seed=0,
            )
            proba[name][held] = heads.mean_proba(features[held])
    result: dict[str, Any] = {"regions": int(judged.sum()), "labelled_share": 0.25, "seconds": round(seconds, 1)}
    for name, measure in (("accuracy", metrics.measure_accuracy), ("macro_f1", metrics.measure_macro_f1)):
        gain = metrics.estimate_difference(
            truth=cells.labels[judged],
            baseline=proba["without"][judged],
            candidate=proba["with"][judged],
            cases=cells.fields[judged],
            measure=measure,
        )
        result[name] = {
            **{arm: _measure(cells, proba[arm][judged], judged, measure) for arm in proba},
            "gain": round(gain.value, 4),
            "low": round(gain.low, 4),
            "high": round(gain.high, 4),
        }
    return result


def _measure(cells: Cells, proba: NDArray[np.float32], judged: NDArray[np.bool_], measure: Any) -> float:
    confusion = metrics.count_confusion(
        truth=cells.labels[judged], predicted=proba.argmax(axis=1), classes=cells.classes
    )
    return round(float(measure(confusion)), 4)


def look(network: ResidualNetwork, cells: Cells, settings: training.CnnSettings) -> NDArray[np.float32]:
    own = encoder.StudyCnn(network, settings.network, weights_digest="")
    return own.encode(cells.pixels).astype(np.float32)
