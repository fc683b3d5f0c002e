"""Few of a shortlist that are good and unlike one another.

Decides the trade between score and distance, and that every domain gets its share. Refuses to know
where scores come from.
"""

import numpy as np
from numpy.typing import NDArray

from learning.query.request import FloatArray


def choose_spread(
    points: FloatArray,
    *,
    utility: FloatArray,
    domains: NDArray[np.integer],
    minimum: dict[int, int],
    count: int,
    cosine: float,
) -> tuple[NDArray[np.int64], FloatArray]:
    """Greedy far-point choice (Gonzalez 1985), weighted by utility.

    Parameters: points (n, D) unit vectors, utility (n,) positive, domains (n,), minimum picks of a
    domain where it has as many, and the cosine above which a point counts as a duplicate of a pick.
    Returns positions (<= count,) in order of choice and the distance of each to the picks before it
    (1 - cosine, 2.0 for the first). Fewer than `count` come back when only duplicates are left.
    """
    distance = np.full(len(points), 2.0, dtype=np.float32)
    open_ = np.ones(len(points), dtype=bool)
    owed = {domain: need for domain, need in minimum.items() if need > 0}
    chosen: list[int] = []
    apart: list[float] = []
    while len(chosen) < count and open_.any():
        owed = {domain: need for domain, need in owed.items() if need > 0 and (open_ & (domains == domain)).any()}
        candidates = open_
        if sum(owed.values()) >= count - len(chosen):
            candidates = open_ & np.isin(domains, list(owed))
        value = np.where(candidates, utility * distance, -np.inf)
        best = int(value.argmax())
        chosen.append(best)
        apart.append(float(distance[best]))
        domain = int(domains[best])
        owed[domain] = owed.get(domain, 0) - 1
        np.minimum(distance, 1 - points @ points[best], out=distance)
        open_ &= distance >= 1 - cosine
        open_[best] = False
    return np.array(chosen, dtype=np.int64), np.array(apart, dtype=np.float32)


def share_out(domains: NDArray[np.integer], *, count: int, floor: float) -> dict[int, int]:
    """Least number of picks of each domain: `floor` times its proportional share of `count`, rounded down."""
    names, sizes = np.unique(domains, return_counts=True)
    least = np.floor(floor * count * sizes / max(len(domains), 1)).astype(int)
    return dict(zip(names.tolist(), least.tolist(), strict=True))
