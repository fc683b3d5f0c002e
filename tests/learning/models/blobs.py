"""Data for models: Gaussian classes of unequal frequency in cases with a shift of their own."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Blobs:
    features: NDArray[np.float16]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]


def draw_blobs(
    *, count: int, classes: int = 4, dimensions: int = 16, cases: int = 12, seed: int = 0, gap: float = 1.4
) -> Blobs:
    world = np.random.default_rng(99)
    centres = gap * world.normal(size=(classes, dimensions)) / np.sqrt(2)
    generator = np.random.default_rng(seed)
    frequency = 0.6 ** np.arange(classes)
    labels = generator.choice(classes, size=count, p=frequency / frequency.sum())
    groups = generator.integers(0, cases, size=count)
    shift = 0.3 * generator.normal(size=(cases, dimensions))
    features = centres[labels] + shift[groups] + generator.normal(size=(count, dimensions))
    return Blobs(features=features.astype(np.float16), labels=labels, groups=groups)
