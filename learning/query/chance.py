"""The strategy `random`: every available region alike.

Decides nothing but the draw. It is the baseline every other strategy is measured against.
"""

from dataclasses import dataclass

import numpy as np

from learning.query.request import Proposal, Rows, SelectionRequest


@dataclass(frozen=True)
class Chance:
    """Simple random sample without replacement."""

    needs_scores: bool = False

    def propose(
        self, request: SelectionRequest, *, available: Rows, count: int, generator: np.random.Generator
    ) -> Proposal:
        """See `Strategy`."""
        rows = generator.choice(available, min(count, len(available)), replace=False)
        reasons = [f"Drawn at random from {len(available)} regions."] * len(rows)
        return Proposal(rows=rows, scores=np.zeros(len(rows), dtype=np.float32), stratum="random", reasons=reasons)
