"""The strategy `entropy`: regions whose class is open between many.

Often no better than random (see docs/adr/0004-learning.md); kept to be compared with.
"""

from dataclasses import dataclass

import numpy as np

from learning.query.ordering import order_best
from learning.query.request import Proposal, Rows, SelectionRequest, get_scores


@dataclass(frozen=True)
class Entropy:
    """Largest entropy of the ensemble's mean first."""

    needs_scores: bool = True

    def propose(
        self, request: SelectionRequest, *, available: Rows, count: int, generator: np.random.Generator
    ) -> Proposal:
        """See `Strategy`."""
        scores = get_scores(request)
        entropy = scores.entropy[available].astype(np.float32)
        best = order_best(entropy, count=count, generator=generator)
        rows = available[best]
        reasons = [
            f"Entropy {scores.entropy[row]:.2f} nats; most likely {request.class_codes[scores.top1[row]]}."
            for row in rows
        ]
        parts = {"entropy": entropy[best]}
        return Proposal(rows=rows, scores=entropy[best], stratum="ranked", reasons=reasons, parts=parts)
