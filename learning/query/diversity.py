"""Few of a shortlist that are good and unlike one another.

Decides the trade between score and distance, and that every domain gets its share, one that has been neglected all of
it. Refuses to know where scores come from.
"""

from collections.abc import Collection

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
    known: NDArray[np.bool_] | None = None,
    insisted: Collection[int] = (),
) -> tuple[NDArray[np.int64], FloatArray]:
    """Greedy far-point choice (Gonzalez 1985), weighted by utility.

    Parameters: points (n, D) unit vectors, utility (n,) positive, domains (n,), minimum picks of a
    domain where it has as many, the cosine above which a point counts as a duplicate of a pick, and
    known (n,): points that are duplicates already. The domains `insisted` on get their minimum even of
    duplicates: seen from the middle of the pool, all regions of another scanner may look alike.
    Returns positions (<= count,) in order of choice and the distance of each to the picks before it
    (1 - cosine, 2.0 for the first). Fewer than `count` come back when only duplicates are left.
    """
    left = np.ones(len(points), dtype=bool)
    open_ = left.copy() if known is None else ~known
    distance = np.where(open_, 2.0, 1 - cosine).astype(np.float32)
    owed = {domain: need for domain, need in minimum.items() if need > 0}
    chosen: list[int] = []
    apart: list[float] = []
    while len(chosen) < count:
        owed = {
            domain: need
            for domain, need in owed.items()
            if need > 0 and ((left if domain in insisted else open_) & (domains == domain)).any()
        }
        candidates = open_
        if sum(owed.values()) >= count - len(chosen) or not open_.any():
            candidates = open_ & np.isin(domains, list(owed))
            if not candidates.any():
                candidates = left & np.isin(domains, [domain for domain in owed if domain in insisted])
        if not candidates.any():
            break
        value = np.where(candidates, utility * distance, -np.inf)
        best = int(value.argmax())
        chosen.append(best)
        apart.append(float(distance[best]))
        domain = int(domains[best])
        owed[domain] = owed.get(domain, 0) - 1
        np.minimum(distance, np.maximum(1 - points @ points[best], 0), out=distance)
        open_ &= distance >= 1 - cosine
        open_[best] = left[best] = False
    return np.array(chosen, dtype=np.int64), np.array(apart, dtype=np.float32)


def share_out(
    domains: NDArray[np.integer], *, count: int, floor: float, behind: Collection[int] = ()
) -> dict[int, int]:
    """Least number of picks of each domain: `floor` times its proportional share of `count`, rounded down.

    A domain that is `behind` gets all of its share, rounded up, so that the smallest is asked about in every batch.
    """
    names, sizes = np.unique(domains, return_counts=True)
    share = count * sizes / max(len(domains), 1)
    least = np.where(np.isin(names, list(behind)), np.ceil(share - 1e-9), np.floor(floor * share)).astype(int)
    return dict(zip(names.tolist(), least.tolist(), strict=True))


def find_behind(domains: NDArray[np.integer], *, settled: NDArray[np.integer], floor: float) -> list[int]:
    """Domains with less than `floor` times their share of the settled regions; none before anything is settled.

    Parameters: domains (n,) of the pool, settled (S,) regions of each domain. One that nobody has looked at is behind.
    """
    total = int(settled.sum())
    if not total:
        return []
    names, sizes = np.unique(domains, return_counts=True)
    is_behind = settled[names] / total < floor * sizes / len(domains)
    result: list[int] = names[is_behind].tolist()
    return result
