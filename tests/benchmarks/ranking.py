"""Scores of a million regions, 512 features, 18 classes, five heads; and a batch drawn from them."""

import os
import time
from typing import Any

import numpy as np

from learning.features.rows import FeatureRows
from learning.models import Ensemble, OutOfFold
from learning.query import SelectionRequest, score_blocks, select_batch
from tests.benchmarks.usage import Usage

REGIONS, DIMENSIONS, CLASSES, MEMBERS = 1_000_000, 512, 18, 5


def measure_ranking(*, regions: int = REGIONS) -> dict[str, Any]:
    """Seconds from features to scores (float32 and float16) and from scores to a batch of 100.

    The baseline is the bare matrix product of the same size, blockwise on all BLAS threads. `processor_seconds` are
    those of all threads: on a machine that others use too they say more than the clock.
    """
    generator = np.random.default_rng(0)
    features = np.empty((regions, DIMENSIONS), dtype=np.float32)
    for start in range(0, regions, 10_000):
        features[start : start + 10_000] = generator.standard_normal(features[start : start + 10_000].shape)
    ensemble = make_ensemble(generator)
    with Usage() as scoring:
        score_blocks(ensemble, features)
    product = _time(lambda: _multiply(ensemble, features))
    halves = features.astype(np.float16)
    with Usage() as scoring_halves:
        scores = score_blocks(ensemble, halves)
    request = SelectionRequest(
        features=FeatureRows([halves]),
        available=np.arange(1000, regions),
        taken=np.arange(1000),
        domains=generator.integers(0, 3, regions),
        class_codes=tuple(f"class {index}" for index in range(CLASSES)),
        labelled=generator.integers(0, 500, CLASSES),
        count=100,
        seed=0,
        scores=scores,
    )
    return {
        "seconds": round(scoring.seconds, 2),
        "bound_seconds": 2.0 * regions / REGIONS,
        "processor_seconds": round(scoring.processor_seconds, 2),
        "baseline": "the matrix product alone",
        "baseline_seconds": round(product, 2),
        "ratio": round(scoring.seconds / product, 2),
        "seconds_float16": round(scoring_halves.seconds, 2),
        "processor_seconds_float16": round(scoring_halves.processor_seconds, 2),
        "seconds_batch_of_100": round(_time(lambda: select_batch(request)), 2),
        "load": round(os.getloadavg()[0], 1),
    }


def make_ensemble(generator: np.random.Generator, *, members: int = MEMBERS) -> Ensemble:
    """Heads of random weights: 512 features, 18 classes."""
    weights = 0.05 * generator.normal(size=(members, DIMENSIONS, CLASSES)).astype(np.float32)
    return wrap_heads(weights, np.zeros((members, CLASSES), dtype=np.float32), temperature=1.3)


def wrap_heads(weights: np.ndarray, biases: np.ndarray, *, temperature: float = 1.0) -> Ensemble:
    """Heads (M, D, K) and (M, K) as an ensemble that was never trained."""
    classes = biases.shape[1]
    nothing = OutOfFold(np.zeros(0, dtype=np.int64), np.zeros((0, classes), dtype=np.float32), np.zeros(0, dtype=bool))
    return Ensemble(weights=weights, biases=biases, temperature=temperature, out_of_fold=nothing)


def _multiply(ensemble: Ensemble, features: np.ndarray) -> None:
    stacked = np.ascontiguousarray(ensemble.weights.transpose(1, 0, 2).reshape(DIMENSIONS, -1))
    out = np.empty((8192, stacked.shape[1]), dtype=np.float32)
    for start in range(0, len(features), 8192):
        block = features[start : start + 8192]
        np.matmul(block, stacked, out=out[: len(block)])


def _time(call: Any) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
