"""What a batch is drawn from and what is drawn: plain arrays, the same for every strategy.

Decides shapes and checks them. Refuses to know how any strategy works.
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from learning.features.rows import FeatureRows
from learning.query.scores import Scores

FloatArray = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class SelectionRequest:
    """A pool of N regions and what is wanted of it.

    features: matrix of N rows, read only where needed. available (A,): rows that may be picked.
    taken (L,): rows that are queued or labelled; nothing alike is picked. domains (N,): index of the
    domain of each region. labelled (K,): settled regions of each class; settled (S,): of each domain,
    None where that is not told. scores: None before there is a model. Everything random comes from `seed`.
    """

    features: FeatureRows
    available: Rows
    taken: Rows
    domains: NDArray[np.integer]
    class_codes: tuple[str, ...]
    labelled: NDArray[np.integer]
    count: int
    seed: int
    strategy: str = "ranked"
    scores: Scores | None = None
    random_share: float = 0.05
    shortlist_factor: int = 20
    domain_floor: float = 0.5
    duplicate_cosine: float = 0.98
    settled: NDArray[np.integer] | None = None


@dataclass(frozen=True)
class Proposal:
    """Picks of a strategy, best first: rows (B,), score (B,), named parts of the score, a sentence each."""

    rows: Rows
    scores: FloatArray
    stratum: str
    reasons: list[str]
    parts: dict[str, FloatArray] = field(default_factory=dict)


@dataclass(frozen=True)
class Selection:
    """A batch in queue order.

    indices (B,) rows of the pool; scores (B,); parts: name to (B,), NaN where a pick has no such part;
    stratum: "cold", "ranked" or "random"; probability (B,): inclusion probability of a random pick,
    0.0 for a deterministic one, which no estimate of the pool may use; reasons: a sentence each.
    """

    indices: Rows
    scores: FloatArray
    parts: dict[str, FloatArray]
    stratum: list[str]
    probability: NDArray[np.float64]
    reasons: list[str]


class Strategy(Protocol):
    """Chooses up to `count` of the available rows; the same request and generator state, the same picks."""

    @property
    def needs_scores(self) -> bool:
        """Whether there must be a model first."""
        ...

    def propose(
        self, request: SelectionRequest, *, available: Rows, count: int, generator: np.random.Generator
    ) -> Proposal:
        """Distinct rows of `available`, best first; all of them when there are not more than `count`."""
        ...


def get_scores(request: SelectionRequest) -> Scores:
    """The scores of a request that must have them."""
    if request.scores is None:
        raise ValueError(
            f"The strategy {request.strategy!r} needs scores of a model. Use cold_start until one is active."
        )
    return request.scores


def check_request(request: SelectionRequest) -> None:
    """Raise ValueError for arrays that do not belong to one pool."""
    size = len(request.features)
    if len(request.domains) != size or (request.scores is not None and len(request.scores) != size):
        raise ValueError(
            f"The pool has {size} rows of features, but {len(request.domains)} domains and "
            f"{'no' if request.scores is None else len(request.scores)} scores. Merge them in the same slide order."
        )
    if len(request.labelled) != len(request.class_codes):
        raise ValueError(
            f"There are {len(request.class_codes)} classes, but labels of {len(request.labelled)} counted."
        )
    if request.settled is not None and size and request.domains.max() >= len(request.settled):
        raise ValueError(
            f"There are domains up to {request.domains.max()}, but settled regions of {len(request.settled)} counted."
        )
    for name, rows in (("available", request.available), ("taken", request.taken)):
        if len(rows) and (rows.min() < 0 or rows.max() >= size):
            raise ValueError(f"Rows in {name!r} lie outside the pool of {size}.")
    if request.count < 0 or not 0 <= request.random_share <= 1:
        raise ValueError("A batch needs a count of at least 0 and a random share between 0 and 1.")


def sort_available(request: SelectionRequest) -> Rows:
    """Rows that may be picked, in order, not to be written to; raises ValueError for a row that is there twice."""
    rows = request.available.astype(np.int64, copy=False)
    if (rows[1:] > rows[:-1]).all():
        # As they mostly come: a pool of a million is neither sorted nor copied.
        return rows
    rows = np.sort(rows)
    if (rows[1:] == rows[:-1]).any():
        raise ValueError("Rows in 'available' are there twice; each region can be picked once.")
    return rows
