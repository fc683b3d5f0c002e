"""A batch for the queue: what the strategy proposes, and a random share with known probabilities.

Decides how many of each and in which order. Refuses to know rows of a database.
"""

import numpy as np
from numpy.typing import NDArray

from learning.query.catalogue import get_strategy
from learning.query.chance import Chance
from learning.query.request import FloatArray, Proposal, Selection, SelectionRequest, check_request, sort_available


def select_batch(request: SelectionRequest) -> Selection:
    """Up to `count` distinct available regions in queue order; the same request gives the same batch.

    The random share is drawn first and from everything available, so that the probability of a pick
    in it is exact; the strategy chooses from what is left. Raises ValueError for a request that does
    not fit together, an unknown strategy, or a strategy that needs scores where there are none.
    """
    check_request(request)
    strategy = get_strategy(request.strategy)
    generator = np.random.default_rng(request.seed)
    available = sort_available(request)
    count = min(request.count, len(available))
    lots, probability = _share_out(request, count, len(available), generator)
    drawn = Chance().propose(request, available=available, count=lots, generator=generator)
    rest = np.delete(available, np.searchsorted(available, drawn.rows)) if lots else available
    if count > lots:
        chosen = strategy.propose(request, available=rest, count=count - lots, generator=generator)
    else:
        chosen = Proposal(rows=available[:0], scores=np.zeros(0, dtype=np.float32), stratum="ranked", reasons=[])
    return _assemble(chosen, drawn, probability, generator)


def _share_out(
    request: SelectionRequest, count: int, available: int, generator: np.random.Generator
) -> tuple[int, float]:
    """How many picks are left to chance, and the inclusion probability that gives every region.

    A fraction of a pick is itself decided by chance, so that small batches get their share on average.
    """
    share = 1.0 if request.strategy == "random" else request.random_share
    wanted = share * count
    lots = int(wanted) + int(generator.random() < wanted - int(wanted))
    return lots, wanted / available if available else 0.0


def _assemble(chosen: Proposal, drawn: Proposal, probability: float, generator: np.random.Generator) -> Selection:
    """Random picks go to random places in the queue; nothing about a place says which they are."""
    total = len(chosen.rows) + len(drawn.rows)
    is_drawn = np.zeros(total, dtype=bool)
    is_drawn[generator.permutation(total)[: len(drawn.rows)]] = True
    source = np.empty(total, dtype=np.int64)
    source[~is_drawn] = np.arange(len(chosen.rows))
    source[is_drawn] = len(chosen.rows) + np.arange(len(drawn.rows))
    strata = [chosen.stratum] * len(chosen.rows) + [drawn.stratum] * len(drawn.rows)
    reasons = chosen.reasons + drawn.reasons
    empty = np.full(len(drawn.rows), np.nan, dtype=np.float32)
    parts: dict[str, FloatArray] = {
        name: np.concatenate([values, empty])[source] for name, values in chosen.parts.items()
    }
    chances: NDArray[np.float64] = np.where(is_drawn, probability, 0.0)
    return Selection(
        indices=np.concatenate([chosen.rows, drawn.rows])[source],
        scores=np.concatenate([chosen.scores, drawn.scores])[source],
        parts=parts,
        stratum=[strata[index] for index in source],
        probability=chances,
        reasons=[reasons[index] for index in source],
    )
