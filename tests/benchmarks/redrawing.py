"""How sure one can be of a number of many seeds: its 95% interval by drawing the seeds anew.

Decides how many draws and that seeds stay together; refuses to know what was measured.
"""

import numpy as np
from numpy.typing import NDArray

DRAWS = 10_000
Values = NDArray[np.floating]


def bound_ratio(part: Values, whole: Values, *, digits: int = 3) -> dict[str, float]:
    """Sum of `part` over sum of `whole`, both (S,) of the same seeds."""
    drawn = _draw(len(part))
    ratios = part[drawn].sum(axis=1) / whole[drawn].sum(axis=1)
    return _bound(float(part.sum() / whole.sum()), ratios, digits)


def bound_mean(values: Values, *, digits: int = 1) -> dict[str, float]:
    """Mean of (S,) values, as of differences between two runs of one seed."""
    return _bound(float(values.mean()), values[_draw(len(values))].mean(axis=1), digits)


def _draw(seeds: int) -> NDArray[np.int64]:
    return np.random.default_rng(0).integers(seeds, size=(DRAWS, seeds))


def _bound(value: float, draws: Values, digits: int) -> dict[str, float]:
    low, high = np.quantile(draws, [0.025, 0.975])
    return {"value": round(value, digits), "low": round(float(low), digits), "high": round(float(high), digits)}
