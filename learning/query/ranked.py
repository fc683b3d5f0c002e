"""The strategy `ranked`, the default: margin x rarity, there and all around, then spread over what the slides hold.

Rare is a class of which there are few labels so far, whatever the pool holds of it: a class that is hard to tell is
predicted often and labelled seldom. A label teaches about what looks alike, so a region counts by its own doubt times
the doubt around it: an oddity that nothing resembles teaches nothing else (information density, Settles and Craven
2008, with the neighbours' doubt in place of their number).

Decides how uncertainty, rarity, surroundings, diversity and domains are put together. Refuses to know how scores were
computed; near-duplicates of what is queued or labelled are passed over while others are left.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learning.query import diversity, neighbourhood
from learning.query.ordering import order_best
from learning.query.request import FloatArray, Proposal, Rows, SelectionRequest, get_scores
from learning.query.scores import Scores

_RARITY_LIMIT = 20.0
_OF_A_DOMAIN_BEHIND = 64
_CROWD = 4096
# How much more the distance to other picks counts than what a pick is worth: the doubt around draws picks together.
_APART = 1.5


class _Around(NamedTuple):
    """Some of the pool: unit vectors (m, D), and how useful each answer would be by itself (m,)."""

    points: FloatArray
    utility: FloatArray


@dataclass(frozen=True)
class Ranked:
    """Uncertain like what is around it, of a class with few labels, unlike the other picks and unlike what is known."""

    needs_scores: bool = True

    def propose(
        self, request: SelectionRequest, *, available: Rows, count: int, generator: np.random.Generator
    ) -> Proposal:
        """See `Strategy`."""
        scores = get_scores(request)
        rarity = weigh_rarity(request.labelled)
        utility = _rate(scores, available, rarity)
        space = neighbourhood.measure_space(request.features, rows=available, generator=generator)
        crowd = np.sort(generator.choice(len(available), size=min(_CROWD, len(available)), replace=False))
        around = _Around(space.point(request.features.take(available[crowd])), utility[crowd])
        behind = _find_behind(request, available)
        picked, distance = _spread(request, available, utility, space, around, behind, count, generator)
        if len(picked) < count:
            rest = np.setdiff1d(np.arange(len(available)), picked)
            extra = rest[order_best(utility[rest], count=count - len(picked), generator=generator)]
            picked = np.append(picked, extra)
            distance = np.append(distance, np.zeros(len(extra), dtype=np.float32)).astype(np.float32)
        rows = available[picked]
        parts = {
            "margin": scores.margin[rows].astype(np.float32),
            "rarity": rarity[scores.top1[rows]],
            "distance": distance,
        }
        neglected = np.isin(request.domains[rows], behind)
        reasons = [
            _explain(request, scores, int(row), float(apart), bool(of_few))
            for row, apart, of_few in zip(rows, distance, neglected, strict=True)
        ]
        return Proposal(rows=rows, scores=utility[picked], stratum="ranked", reasons=reasons, parts=parts)


def weigh_rarity(labelled: NDArray[np.integer]) -> FloatArray:
    """Weight of a predicted class (K,): 1 at an even share of the labels, inversely more for less, at most 20.

    One label more is counted for every class, so that the first few decide little.
    """
    share = (labelled + 1) / (labelled.sum() + len(labelled))
    result: FloatArray = np.minimum(1 / (len(labelled) * share), _RARITY_LIMIT).astype(np.float32)
    return result


def _rate(scores: Scores, available: Rows, rarity: FloatArray) -> FloatArray:
    # A region the model is sure of keeps a little, so that the order is never decided by ties alone.
    doubt = np.maximum(1 - scores.margin[available].astype(np.float32), 1e-3)
    result: FloatArray = doubt * rarity[scores.top1[available]]
    return result


def _find_behind(request: SelectionRequest, available: Rows) -> list[int]:
    """Domains of which far less is settled than waits: the model may be sure of them and wrong."""
    if request.settled is None:
        return []
    return diversity.find_behind(request.domains[available], settled=request.settled, floor=request.domain_floor)


def _spread(
    request: SelectionRequest,
    available: Rows,
    utility: FloatArray,
    space: neighbourhood.Space,
    around: _Around,
    behind: list[int],
    count: int,
    generator: np.random.Generator,
) -> tuple[NDArray[np.int64], FloatArray]:
    """Positions in `available` and distances; the shortlist grows while duplicates use it up."""
    domains = request.domains[available]
    minimum = diversity.share_out(domains, count=count, floor=request.domain_floor, behind=behind)
    ceiling = len(available)
    size = max(request.shortlist_factor * count, 64)
    while True:
        short = _shortlist(request, available, utility, minimum, behind, min(size, ceiling), generator)
        points = space.point(request.features.take(available[short]))
        known = neighbourhood.find_duplicates(
            points, of=request.taken, features=request.features, space=space, cosine=request.duplicate_cosine
        )
        near = neighbourhood.average_nearest(points, crowd=around.points, values=around.utility)
        chosen, distance = diversity.choose_spread(
            points,
            utility=(utility[short] * near) ** (1 / _APART),
            domains=domains[short],
            minimum=minimum,
            count=count,
            cosine=request.duplicate_cosine,
            known=known,
            insisted=behind,
        )
        # Past 64 times the usual shortlist the pool is all alike; looking further only costs time.
        if len(chosen) == min(count, ceiling) or size >= min(ceiling, 64 * request.shortlist_factor * max(count, 1)):
            return short[chosen], distance
        size *= 4


def _shortlist(
    request: SelectionRequest,
    available: Rows,
    utility: FloatArray,
    minimum: dict[int, int],
    behind: list[int],
    size: int,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    best = [order_best(utility, count=size, generator=generator)]
    domains = request.domains[available]
    for domain, need in minimum.items():
        here = np.flatnonzero(domains == domain)
        wanted = min(len(here), max(need * request.shortlist_factor, _OF_A_DOMAIN_BEHIND if domain in behind else 0))
        best.append(here[order_best(utility[here], count=wanted, generator=generator)])
    together = np.concatenate(best)
    _, first = np.unique(together, return_index=True)
    result: NDArray[np.int64] = together[np.sort(first)]
    return result


def _explain(request: SelectionRequest, scores: Scores, row: int, distance: float, is_neglected: bool) -> str:
    codes = request.class_codes
    clauses = [f"Margin {scores.margin[row]:.2f} between {codes[scores.top1[row]]} and {codes[scores.top2[row]]}"]
    have, total = int(request.labelled[scores.top1[row]]), int(request.labelled.sum())
    if have < 0.5 * total / len(codes):
        clauses.append(f"few labels of {codes[scores.top1[row]]} yet ({have} of {total})")
    if is_neglected:
        clauses.append("of a domain with few settled regions yet")
    if distance <= 0:
        clauses.append("looks like another pick or a labelled region, but nothing else is left")
    elif distance >= 2:
        clauses.append("first of its batch")
    else:
        clauses.append("far from the other picks" if distance > 0.5 else "unlike the other picks")
    return "; ".join(clauses) + "."
