"""The strategy `bald`: regions on which the members of the ensemble disagree.

Mutual information of label and model (Houlsby et al. 2011): what labels can still settle, without the
share of the uncertainty that no label removes.
"""

from dataclasses import dataclass

import numpy as np

from learning.query.ordering import order_best
from learning.query.request import Proposal, Rows, SelectionRequest, get_scores


@dataclass(frozen=True)
class Bald:
    """Largest mutual information first."""

    needs_scores: bool = True

    def propose(
        self, request: SelectionRequest, *, available: Rows, count: int, generator: np.random.Generator
    ) -> Proposal:
        """See `Strategy`."""
        scores = get_scores(request)
        information = scores.mutual_information[available].astype(np.float32)
        best = order_best(information, count=count, generator=generator)
        rows = available[best]
        reasons = [
            f"The models disagree (mutual information {scores.mutual_information[row]:.2f} nats); "
            f"most likely {request.class_codes[scores.top1[row]]}."
            for row in rows
        ]
        parts = {"mutual_information": information[best]}
        return Proposal(rows=rows, scores=information[best], stratum="ranked", reasons=reasons, parts=parts)
