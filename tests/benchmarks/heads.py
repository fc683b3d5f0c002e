"""Refit of the five heads from scratch: 20,000 x 512, 18 unequal classes, 200 cases."""

import time
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from learning.models import HeadSettings, train_ensemble

ITEMS, DIMENSIONS, CLASSES, CASES = 20_000, 512, 18, 200


def measure_refit() -> dict[str, Any]:
    """Seconds of a refit, and of one scikit-learn head on the same rows as the baseline for one fifth of it."""
    generator = np.random.default_rng(0)
    frequency = 0.8 ** np.arange(CLASSES)
    labels = generator.choice(CLASSES, ITEMS, p=frequency / frequency.sum())
    centres = 0.15 * generator.normal(size=(CLASSES, DIMENSIONS))
    mixing = generator.normal(size=(DIMENSIONS, DIMENSIONS)) * np.exp(-np.arange(DIMENSIONS) / 100)[:, None]
    features = ((centres[labels] + generator.normal(size=(ITEMS, DIMENSIONS))) @ mixing).astype(np.float32)
    groups = generator.integers(0, CASES, ITEMS)
    started = time.perf_counter()
    ensemble = train_ensemble(features=features, labels=labels, groups=groups, classes=CLASSES, seed=0)
    seconds = time.perf_counter() - started
    baseline, accuracy = _fit_baseline(features, labels, groups)
    return {
        "seconds": round(seconds, 2),
        "bound_seconds": 30,
        "baseline": "five scikit-learn LogisticRegression heads (one measured, times five)",
        "baseline_seconds": round(5 * baseline, 2),
        "ratio": round(seconds / (5 * baseline), 3),
        "accuracy": round(float((ensemble.oof_proba.argmax(axis=1) == labels).mean()), 4),
        "baseline_accuracy": round(accuracy, 4),
    }


def _fit_baseline(features: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    held = groups % 5 == 0
    started = time.perf_counter()
    scaler = StandardScaler().fit(features[~held])
    strength = 1 / (HeadSettings().penalty * (~held).sum())
    head = LogisticRegression(C=strength, class_weight="balanced", max_iter=1000, tol=1e-4)
    head.fit(scaler.transform(features[~held]), labels[~held])
    seconds = time.perf_counter() - started
    return seconds, float(head.score(scaler.transform(features[held]), labels[held]))
