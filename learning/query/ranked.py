"""The strategy `ranked`, the default: margin x rarity, then spread over what the slides hold.

Decides how uncertainty, rarity, diversity and domains are put together. Refuses to know how scores
were computed; near-duplicates of what is queued or labelled are passed over while others are left.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learning.query import diversity, neighbourhood
from learning.query.ordering import order_best
from learning.query.request import FloatArray, Proposal, Rows, SelectionRequest, get_scores
from learning.query.scores import Scores

_RARITY_POWER = 0.5
_RARITY_LIMIT = 4.0


@dataclass(frozen=True)
class Ranked:
    """Uncertain, predicted rare, unlike the other picks and unlike what is known."""

    needs_scores: bool = True

    def propose(
        self, request: SelectionRequest, *, available: Rows, count: int, generator: np.random.Generator
    ) -> Proposal:
        """See `Strategy`."""
        scores = get_scores(request)
        share = measure_shares(scores, available, classes=len(request.class_codes))
        utility = _rate(scores, available, share)
        space = neighbourhood.measure_space(request.features, rows=available, generator=generator)
        picked, distance = _spread(request, available, utility, space, count, generator)
        if len(picked) < count:
            rest = np.setdiff1d(np.arange(len(available)), picked)
            extra = rest[order_best(utility[rest], count=count - len(picked), generator=generator)]
            picked = np.append(picked, extra)
            distance = np.append(distance, np.zeros(len(extra), dtype=np.float32)).astype(np.float32)
        rows = available[picked]
        parts = {
            "margin": scores.margin[rows].astype(np.float32),
            "rarity": weigh_rarity(share)[scores.top1[rows]],
            "distance": distance,
        }
        reasons = [
            _explain(request, scores, int(row), float(share[scores.top1[row]]), float(apart))
            for row, apart in zip(rows, distance, strict=True)
        ]
        return Proposal(rows=rows, scores=utility[picked], stratum="ranked", reasons=reasons, parts=parts)


def measure_shares(scores: Scores, available: Rows, *, classes: int) -> FloatArray:
    """Share of the available regions predicted as each class, (K,)."""
    counts = np.bincount(scores.top1[available], minlength=classes).astype(np.float32)
    result: FloatArray = (counts / max(len(available), 1)).astype(np.float32)
    return result


def weigh_rarity(share: FloatArray) -> FloatArray:
    """Weight of a predicted class (K,): 1 at an even share, at most 4 where it is sixteen times rarer."""
    even = 1 / len(share)
    weight = (even / np.maximum(share, 1e-6)) ** _RARITY_POWER
    result: FloatArray = np.minimum(weight, _RARITY_LIMIT).astype(np.float32)
    return result


def _rate(scores: Scores, available: Rows, share: FloatArray) -> FloatArray:
    # A region the model is sure of keeps a little, so that the order is never decided by ties alone.
    doubt = np.maximum(1 - scores.margin[available].astype(np.float32), 1e-3)
    result: FloatArray = doubt * weigh_rarity(share)[scores.top1[available]]
    return result


def _spread(
    request: SelectionRequest,
    available: Rows,
    utility: FloatArray,
    space: neighbourhood.Space,
    count: int,
    generator: np.random.Generator,
) -> tuple[NDArray[np.int64], FloatArray]:
    """Positions in `available` and distances; the shortlist grows while duplicates use it up."""
    minimum = diversity.share_out(request.domains[available], count=count, floor=request.domain_floor)
    ceiling = len(available)
    size = max(request.shortlist_factor * count, 64)
    while True:
        short = _shortlist(request, available, utility, minimum, min(size, ceiling), generator)
        points = space.point(request.features.take(available[short]))
        known = neighbourhood.find_duplicates(
            points, of=request.taken, features=request.features, space=space, cosine=request.duplicate_cosine
        )
        fresh = short[~known]
        chosen, distance = diversity.choose_spread(
            points[~known],
            utility=utility[fresh],
            domains=request.domains[available[fresh]],
            minimum=minimum,
            count=count,
            cosine=request.duplicate_cosine,
        )
        # Past 64 times the usual shortlist the pool is all alike; looking further only costs time.
        if len(chosen) == min(count, ceiling) or size >= min(ceiling, 64 * request.shortlist_factor * max(count, 1)):
            return fresh[chosen], distance
        size *= 4


def _shortlist(
    request: SelectionRequest,
    available: Rows,
    utility: FloatArray,
    minimum: dict[int, int],
    size: int,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    best = [order_best(utility, count=size, generator=generator)]
    domains = request.domains[available]
    for domain, need in minimum.items():
        here = np.flatnonzero(domains == domain)
        wanted = min(len(here), need * request.shortlist_factor)
        best.append(here[order_best(utility[here], count=wanted, generator=generator)])
    together = np.concatenate(best)
    _, first = np.unique(together, return_index=True)
    result: NDArray[np.int64] = together[np.sort(first)]
    return result


def _explain(request: SelectionRequest, scores: Scores, row: int, share: float, distance: float) -> str:
    codes = request.class_codes
    clauses = [f"Margin {scores.margin[row]:.2f} between {codes[scores.top1[row]]} and {codes[scores.top2[row]]}"]
    if share < 0.5 / len(codes):
        clauses.append(f"predicted class is rare ({share:.1%} of the pool)")
    if distance <= 0:
        clauses.append("looks like another pick or a labelled region, but nothing else is left")
    elif distance >= 2:
        clauses.append("first of its batch")
    else:
        clauses.append("far from the other picks" if distance > 0.5 else "unlike the other picks")
    return "; ".join(clauses) + "."
