"""When work will be done if it goes on as it did, with a range instead of a date.

Decides how the rate's uncertainty becomes a range: the bootstrap over days (or hours), in blocks where work has a
weekly rhythm. Refuses to guess beyond that: people who join, leave or go on holiday are not in it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

WEEK = 7


@dataclass(frozen=True, slots=True)
class Forecast:
    """Buckets (days or hours) until everything is done; infinite where a redrawn rate never gets there."""

    low: float
    likely: float
    high: float


def estimate_remaining(
    *,
    counts: ArrayLike,
    remaining: ArrayLike,
    seed: int,
    resamples: int = 2000,
    coverage: float = 0.8,
) -> Forecast:
    """Redraw the past and ask each draw how long the rest takes.

    counts (B, G): what was done in each bucket for each of G parts; remaining (G,): what is still to do. A part
    is done at its own rate, and the whole when the last part is. Buckets are drawn in blocks of seven where
    there are two weeks of them (Kunsch 1989), else one by one; the bounds are percentiles of the draws.
    """
    done = np.atleast_2d(np.asarray(counts, dtype=np.float64))
    wanted = np.asarray(remaining, dtype=np.float64)
    if done.ndim != 2 or done.shape[1:] != wanted.shape or not len(done):
        raise ValueError(f"Counts of shape {done.shape} do not fit {wanted.shape} parts.")
    rates = _redraw_rates(done, resamples=resamples, seed=seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.where(wanted > 0, wanted / np.maximum(rates, 0.0), 0.0)
    longest = needed.max(axis=1)
    tail = (1 - coverage) / 2
    low, likely, high = np.quantile(longest, [tail, 0.5, 1 - tail], method="inverted_cdf")
    return Forecast(float(low), float(likely), float(high))


def estimate_answers(*, remaining: int, mean: float, deviation: float, count: int, z: float = 1.281552) -> Forecast:
    """Answers that `remaining` regions still take, if they are like the `count` settled ones.

    `mean` and `deviation` are of the answers that one region took. The range is that of a sum of as many regions, with
    the mean itself known from `count` of them; with the usual z it holds 8 times in 10. A region takes one at least.
    """
    if count < 1:
        raise ValueError("Answers are foreseen from settled regions, and there are none.")
    reach = z * deviation * float(np.sqrt(remaining + remaining**2 / count))
    likely = remaining * mean
    return Forecast(max(likely - reach, float(remaining)), likely, likely + reach)


def _redraw_rates(done: Floats, *, resamples: int, seed: int) -> Floats:
    """Mean per bucket of each redrawn past: (resamples, G).

    A redrawn past is a block shorter than the real one: as long a one varies too little, and of three buckets the range
    would hold the truth in two of three pasts instead of four of five.
    """
    size = len(done)
    block = WEEK if size >= 2 * WEEK else 1
    length = max(size - block, 1)
    blocks = -(-length // block)
    starts = np.random.default_rng(seed).integers(0, size, size=(resamples, blocks))
    drawn = (starts[:, :, None] + np.arange(block)) % size
    means: Floats = done[drawn.reshape(resamples, -1)[:, :length]].mean(axis=1)
    return means
