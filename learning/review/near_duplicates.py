"""Pairs of regions that show the same thing: proposed by two kinds of features, confirmed on pixels.

Decides which neighbours are looked at and how alike they must be. Refuses to know labels, cases and rules.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from learning.features.rows import FeatureRows
from learning.query.neighbourhood import measure_space
from learning.review import registration

Kind = Literal["pixels", "perceptual", "embedding"]
Pairs = NDArray[np.int64]
ReadPixels = Callable[[NDArray[np.int64]], NDArray[np.uint8]]
Progress = Callable[[int, int], None]

NEIGHBOURS = 3
LEAST_COSINE = {"perceptual": 0.8, "embedding": 0.9}
"""Measured on real cells: below it hardly a planted duplicate lies, above it few of the strangers; see ADR 18."""
SIMILARITY = 0.975
_BLOCK = 1024
_CONFIRMED = 512


@dataclass(frozen=True)
class NearDuplicate:
    """Rows first < second, what proposed them, and the best correlation of their pixels."""

    first: int
    second: int
    kind: Kind
    similarity: float


def find_near_duplicates(
    sources: Sequence[tuple[Kind, FeatureRows]],
    *,
    digests: Sequence[str],
    read: ReadPixels,
    seed: int,
    similarity: float = SIMILARITY,
    progress: Progress | None = None,
) -> list[NearDuplicate]:
    """Pairs of N regions whose pixels correlate by at least `similarity` in some orientation, each pair once.

    `sources` are features of the same regions, `digests` their pixels' (empty: unknown), `read` gives the pixels
    (n, EDGE, EDGE, 3) of rows. Pixels are read for proposed pairs alone; regions of one digest are not read at all.
    """
    same = _pair_digests(digests)
    found = [NearDuplicate(*pair, "pixels", 1.0) for pair in sorted(same)]
    proposed: dict[tuple[int, int], Kind] = {}
    for kind, features in sources:
        for first, second in propose(features, least=LEAST_COSINE[kind], seed=seed).tolist():
            if digests[first] != digests[second] or not digests[first]:
                proposed.setdefault((first, second), kind)
    pairs = sorted(proposed)
    for start in range(0, len(pairs), _CONFIRMED):
        block = pairs[start : start + _CONFIRMED]
        for pair, alike in zip(block, _confirm(block, read), strict=True):
            if alike >= similarity:
                found.append(NearDuplicate(*pair, proposed[pair], alike))
        if progress is not None:
            progress(start + len(block), len(pairs))
    return sorted(found, key=lambda one: (one.first, one.second))


def propose(features: FeatureRows, *, least: float, seed: int) -> Pairs:
    """Pairs (P, 2), first < second: each row with its nearest others of a cosine of at least `least`.

    Memory is that of two blocks, whatever the number of rows.
    """
    count = len(features)
    if count < 2:
        return np.empty((0, 2), dtype=np.int64)
    space = measure_space(features, rows=np.arange(count), generator=np.random.default_rng(seed))
    best = np.full((count, NEIGHBOURS), -2.0, dtype=np.float32)
    nearest = np.zeros((count, NEIGHBOURS), dtype=np.int64)
    blocks = [np.arange(start, min(start + _BLOCK, count)) for start in range(0, count, _BLOCK)]
    with threadpool_limits(limits=1, user_api="blas"):
        for place, rows in enumerate(blocks):
            points = space.point(features.take(rows))
            for others in blocks[place:]:
                cosine = points @ (points if others is rows else space.point(features.take(others))).T
                if others is rows:
                    np.fill_diagonal(cosine, -2.0)
                else:
                    _keep_best(best, nearest, others, rows, cosine.T)
                _keep_best(best, nearest, rows, others, cosine)
    row, rank = np.nonzero(best >= least)
    pairs = np.sort(np.stack([row, nearest[row, rank]], axis=1), axis=1)
    result: Pairs = np.unique(pairs, axis=0)
    return result


def _keep_best(
    best: NDArray[np.float32],
    nearest: NDArray[np.int64],
    rows: NDArray[np.int64],
    others: NDArray[np.int64],
    cosine: NDArray[np.float32],
) -> None:
    """Merge what `others` offer into the nearest of `rows`; only rows that gain are looked at."""
    gains = np.flatnonzero(cosine.max(axis=1) > best[rows, -1])
    if len(gains) == 0:
        return
    here = rows[gains]
    values = np.concatenate([best[here], cosine[gains]], axis=1)
    names = np.concatenate([nearest[here], np.broadcast_to(others, (len(gains), len(others)))], axis=1)
    order = np.argsort(-values, axis=1, kind="stable")[:, :NEIGHBOURS]
    best[here] = np.take_along_axis(values, order, axis=1)
    nearest[here] = np.take_along_axis(names, order, axis=1)


def _pair_digests(digests: Sequence[str]) -> set[tuple[int, int]]:
    """Each region with the first one of its pixels."""
    first: dict[str, int] = {}
    pairs = set()
    for row, digest in enumerate(digests):
        if digest and first.setdefault(digest, row) != row:
            pairs.add((first[digest], row))
    return pairs


def _confirm(pairs: Sequence[tuple[int, int]], read: ReadPixels) -> list[float]:
    rows = np.unique(np.array(pairs, dtype=np.int64))
    details = dict(zip(rows.tolist(), registration.prepare(read(rows)), strict=True))
    return [registration.compare(details[one], details[other]) for one, other in pairs]
