"""Which regions a step is shown: every one once before any comes again, in an order that depends on seed and round.

Refuses to know what is learned from them.
"""

import math

import numpy as np
from numpy.typing import NDArray

from learning import canonical


def count_steps(items: int, *, shown: int, batch: int) -> int:
    """Batches in all; every item is shown at least once."""
    return math.ceil(max(shown, items) / batch)


def draw(items: int, step: int, *, batch: int, seed: tuple[int, ...]) -> NDArray[np.int64]:
    """Rows of one batch, (batch,): the same for the same step, whatever was drawn before."""
    places = np.arange(step * batch, (step + 1) * batch)
    rounds, within = np.divmod(places, items)
    rows = np.empty(batch, dtype=np.int64)
    for number in np.unique(rounds).tolist():
        here = rounds == number
        rows[here] = np.random.default_rng([*seed, number]).permutation(items)[within[here]]
    return rows


def identify(pixels: NDArray[np.uint8]) -> str:
    """SHA-256 (hex) of a sample of the pixels: enough to tell one set of regions from another."""
    return canonical.compute_digest(pixels[:: max(1, len(pixels) // 64), ::8, ::8].tolist())
