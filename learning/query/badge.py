"""The strategy `badge`: regions whose labels would pull the model hard, and in different directions.

After BADGE (Ash et al. 2020): k-means++ over the gradients of the last layer, were the likeliest class the true one.
Decides with the two likeliest classes alone, which carry most of the gradient, and over a shortlist: the whole gradient
is K x D numbers a region.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learning.query import neighbourhood
from learning.query.ordering import order_best
from learning.query.request import FloatArray, Proposal, Rows, SelectionRequest, get_scores
from learning.query.scores import Scores

_SHORTLIST = 4_000
"""As many of the hardest pulls, and as many drawn at random besides."""


@dataclass(frozen=True)
class Badge:
    """Distant gradients: large where the model is unsure, apart where class or look differ."""

    needs_scores: bool = True

    def propose(
        self, request: SelectionRequest, *, available: Rows, count: int, generator: np.random.Generator
    ) -> Proposal:
        """See `Strategy`. At most 8,000 of the available rows, or twice `count`, are looked at."""
        scores = get_scores(request)
        rows = np.sort(_shortlist(scores, available, max(_SHORTLIST, count), generator))
        count = min(count, len(rows))
        if count == 0:
            return Proposal(rows=rows[:0], scores=np.zeros(0, dtype=np.float32), stratum="ranked", reasons=[])
        space = neighbourhood.measure_space(request.features, rows=available, generator=generator)
        places = space.standardise(request.features.take(rows))
        gradient = _Gradient(places, _pull(scores, rows, classes=len(request.class_codes)))
        picked = _seed(gradient, count, generator)
        norm = np.sqrt(gradient.squares[picked])
        codes = request.class_codes
        reasons = [
            f"Would move the model by {size:.2f}; between {codes[scores.top1[row]]} and {codes[scores.top2[row]]}."
            for row, size in zip(rows[picked], norm, strict=True)
        ]
        return Proposal(rows=rows[picked], scores=norm, stratum="ranked", reasons=reasons, parts={"gradient": norm})


def _shortlist(scores: Scores, available: Rows, size: int, generator: np.random.Generator) -> Rows:
    doubt = 1 - scores.confidence[available].astype(np.float32)
    hardest = order_best(doubt, count=min(size, len(available)), generator=generator)
    rest = np.setdiff1d(np.arange(len(available)), hardest, assume_unique=True)
    result: Rows = available[np.concatenate([hardest, generator.permutation(rest)[:size]])]
    return result


def _pull(scores: Scores, rows: Rows, *, classes: int) -> FloatArray:
    """Gradient of the loss by the logits (n, K), were the likeliest class true: 1 - p there, -p at the second."""
    best = scores.confidence[rows].astype(np.float32)
    pull = np.zeros((len(rows), classes), dtype=np.float32)
    index = np.arange(len(rows))
    pull[index, scores.top2[rows]] = scores.margin[rows].astype(np.float32) - best
    pull[index, scores.top1[rows]] = 1 - best
    return pull


class _Gradient:
    """Rows of the outer product of pull (n, K) and place (n, D), never written out."""

    def __init__(self, places: FloatArray, pull: FloatArray) -> None:
        self._places, self._pull = places, pull
        self.squares: FloatArray = np.einsum("nk,nk->n", pull, pull) * np.einsum("nd,nd->n", places, places)

    def measure(self, position: int) -> FloatArray:
        """Squared distance of every row to that at `position`, (n,)."""
        product = (self._pull @ self._pull[position]) * (self._places @ self._places[position])
        result: FloatArray = np.maximum(self.squares + self.squares[position] - 2 * product, 0)
        return result


def _seed(gradient: _Gradient, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """k-means++ (Arthur and Vassilvitskii 2007), beginning with the longest gradient; distinct positions."""
    lottery = generator.random(len(gradient.squares), dtype=np.float32)
    longest = np.flatnonzero(gradient.squares == gradient.squares.max())
    picked = [int(longest[lottery[longest].argmax()])]
    distance = gradient.measure(picked[0]).astype(np.float64)
    is_open = np.ones(len(distance), dtype=bool)
    while len(picked) < count:
        is_open[picked[-1]] = False
        weight = np.where(is_open, distance, 0.0)
        if weight.sum() <= 0:
            weight = is_open.astype(np.float64)
        total = weight.cumsum()
        following = int(np.searchsorted(total, generator.random() * total[-1], side="right"))
        picked.append(min(following, int(np.flatnonzero(weight)[-1])))
        np.minimum(distance, gradient.measure(picked[-1]), out=distance)
    return np.array(picked, dtype=np.int64)
