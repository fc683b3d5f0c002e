"""The strategy `cold_start`: typical regions of the largest groups that nobody has looked at yet.

TypiClust (Hacohen, Dekel and Weinshall 2022). Decides the first picks, when there is no model.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learning.query import clusters, neighbourhood
from learning.query.request import FloatArray, Proposal, Rows, SelectionRequest

_SAMPLE = 20_000
_CLUSTERS = 500
_DIMENSIONS = 32
_NEIGHBOURS = 20
_SMALLEST = 5
_CROWD = 1_000


@dataclass(frozen=True)
class ColdStart:
    """One typical region of each group; groups without a label first, large before small."""

    needs_scores: bool = False

    def propose(
        self, request: SelectionRequest, *, available: Rows, count: int, generator: np.random.Generator
    ) -> Proposal:
        """See `Strategy`. At most 20,000 of the available rows are looked at."""
        rows = np.sort(generator.permutation(available)[: max(_SAMPLE, count)])
        if len(rows) == 0 or count == 0:
            return _propose(rows[:0], np.zeros(0), np.zeros(0, dtype=np.int64))
        space = neighbourhood.measure_space(request.features, rows=rows, generator=generator)
        places, axes = clusters.reduce_dimensions(
            space.standardise(request.features.take(rows)), dimensions=_DIMENSIONS
        )
        known = space.standardise(request.features.take(request.taken[-_SAMPLE:])) @ axes
        number = min(len(rows), count + len(known), max(_CLUSTERS, count))
        centres = clusters.find_centres(places, count=number, generator=generator)
        group = clusters.assign_nearest(places, centres)
        labelled = np.bincount(clusters.assign_nearest(known, centres), minlength=number)
        typicality = _rate_typicality(places, group)
        is_known = neighbourhood.find_duplicates(
            space.point(request.features.take(rows)),
            of=request.taken[-_SAMPLE:],
            features=request.features,
            space=space,
            cosine=request.duplicate_cosine,
        )
        picked = _deal(group, labelled, np.where(is_known, -1.0, typicality), min(count, len(rows)))
        sizes = np.bincount(group, minlength=number)[group[picked]]
        return _propose(rows[picked], typicality[picked], sizes)


def _propose(rows: Rows, typicality: NDArray[np.floating], sizes: NDArray[np.integer]) -> Proposal:
    reasons = [f"Typical of a group of {size} similar regions, asked before there is a model." for size in sizes]
    return Proposal(
        rows=rows,
        scores=typicality.astype(np.float32),
        stratum="cold",
        reasons=reasons,
        parts={"typicality": typicality.astype(np.float32), "group_size": sizes.astype(np.float32)},
    )


def _rate_typicality(places: FloatArray, group: NDArray[np.int64]) -> NDArray[np.float64]:
    """One over the mean distance to the 20 nearest of the same group; (n,)."""
    typicality = np.zeros(len(places))
    for name in np.unique(group):
        members = np.flatnonzero(group == name)
        crowd = places[members[:: max(1, len(members) // _CROWD)]]
        squares = np.square(crowd).sum(axis=1)
        distance2 = np.square(places[members]).sum(axis=1)[:, None] + squares - 2 * places[members] @ crowd.T
        near = min(_NEIGHBOURS + 1, distance2.shape[1])
        nearest = np.partition(np.maximum(distance2, 0), near - 1, axis=1)[:, :near]
        typicality[members] = 1 / (np.sqrt(nearest).mean(axis=1) + 1e-3)
    return typicality


def _deal(
    group: NDArray[np.int64], labelled: NDArray[np.integer], typicality: NDArray[np.float64], count: int
) -> NDArray[np.int64]:
    """Best of each group in turn: fewest labels first, groups too small to be typical last, then by size."""
    sizes = np.bincount(group, minlength=len(labelled))
    load = labelled.astype(np.int64).copy()
    queues = {name: _queue(group, typicality, name) for name in np.flatnonzero(sizes).tolist()}
    picked: list[int] = []
    while len(picked) < count:
        name = min(queues, key=lambda name: (load[name], sizes[name] < _SMALLEST, -sizes[name], name))
        picked.append(queues[name].pop())
        load[name] += 1
        if not queues[name]:
            del queues[name]
    return np.array(picked, dtype=np.int64)


def _queue(group: NDArray[np.int64], typicality: NDArray[np.float64], name: int) -> list[int]:
    members = np.flatnonzero(group == name)
    result: list[int] = members[np.argsort(typicality[members], kind="stable")].tolist()
    return result
