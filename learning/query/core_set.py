"""The strategy `core_set`: regions farthest from everything that is known or picked.

Greedy k-centre (Sener and Savarese 2018) in the space of the features. Needs no model; outliers come first, so that it
is often no better than random (see docs/adr/0004-learning.md); kept to be compared with.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learning.query import neighbourhood
from learning.query.request import FloatArray, Proposal, Rows, SelectionRequest

_SAMPLE = 20_000
_BLOCK = 2048


@dataclass(frozen=True)
class CoreSet:
    """Largest distance to the nearest labelled, queued or picked region first."""

    needs_scores: bool = False

    def propose(
        self, request: SelectionRequest, *, available: Rows, count: int, generator: np.random.Generator
    ) -> Proposal:
        """See `Strategy`. At most 20,000 of the available rows, and of the known ones, are looked at."""
        rows = np.sort(generator.permutation(available)[: max(_SAMPLE, count)])
        count = min(count, len(rows))
        if count == 0:
            return Proposal(rows=rows[:0], scores=np.zeros(0, dtype=np.float32), stratum="ranked", reasons=[])
        space = neighbourhood.measure_space(request.features, rows=rows, generator=generator)
        places = space.standardise(request.features.take(rows))
        squares = _square(places)
        nearest = np.full(len(rows), np.inf, dtype=np.float32)
        known = request.taken[-_SAMPLE:]
        for start in range(0, len(known), _BLOCK):
            others = space.standardise(request.features.take(known[start : start + _BLOCK]))
            np.minimum(nearest, (squares[:, None] + _square(others) - 2 * places @ others.T).min(axis=1), out=nearest)
        lottery = generator.random(len(rows), dtype=np.float32)
        picked, apart = _cover(places, squares, nearest, lottery, count)
        distance = np.sqrt(np.maximum(apart, 0))
        reasons = [_explain(far, is_first=len(known) == 0 and place == 0) for place, far in enumerate(distance)]
        return Proposal(
            rows=rows[picked], scores=distance, stratum="ranked", reasons=reasons, parts={"distance": distance}
        )


def _cover(
    places: FloatArray, squares: FloatArray, nearest: FloatArray, lottery: FloatArray, count: int
) -> tuple[NDArray[np.int64], FloatArray]:
    """Positions in order of choice, and the squared distance of each to what was nearest before it."""
    if np.isinf(nearest[0]):
        # Nothing is known: begin somewhere, at a distance of what the pool spreads.
        nearest = np.full(len(places), squares.mean(), dtype=np.float32)
    nearest = nearest.copy()
    picked = np.empty(count, dtype=np.int64)
    apart = np.empty(count, dtype=np.float32)
    for turn in range(count):
        farthest = np.flatnonzero(nearest == nearest.max())
        best = int(farthest[lottery[farthest].argmax()])
        picked[turn], apart[turn] = best, nearest[best]
        distance = squares + squares[best] - 2 * places @ places[best]
        np.minimum(nearest, np.maximum(distance, 0), out=nearest)
        nearest[best] = -1.0
    return picked, apart


def _square(places: FloatArray) -> FloatArray:
    result: FloatArray = np.einsum("nd,nd->n", places, places)
    return result


def _explain(distance: float, *, is_first: bool) -> str:
    if is_first:
        return "Begins the cover of the pool: nothing is known yet."
    return f"Lies {distance:.1f} spreads from the nearest region that is known or picked."
