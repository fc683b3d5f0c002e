"""The strategy `margin`: regions between two classes.

The bar to beat on frozen features (Bahri et al. 2022). Decides by the ensemble's mean alone.
"""

from dataclasses import dataclass

import numpy as np

from learning.query.ordering import order_best
from learning.query.request import Proposal, Rows, SelectionRequest, get_scores


@dataclass(frozen=True)
class Margin:
    """Smallest difference between the two most likely classes first."""

    needs_scores: bool = True

    def propose(
        self, request: SelectionRequest, *, available: Rows, count: int, generator: np.random.Generator
    ) -> Proposal:
        """See `Strategy`."""
        scores = get_scores(request)
        utility = -scores.margin[available].astype(np.float32)
        best = order_best(utility, count=count, generator=generator)
        rows, margin = available[best], -utility[best]
        codes = request.class_codes
        reasons = [
            f"Margin {scores.margin[row]:.2f} between {codes[scores.top1[row]]} and {codes[scores.top2[row]]}."
            for row in rows
        ]
        parts = {"margin": margin}
        return Proposal(rows=rows, scores=1 - margin, stratum="ranked", reasons=reasons, parts=parts)
