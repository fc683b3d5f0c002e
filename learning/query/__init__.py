"""Which regions to ask about next: scores of a pool, strategies over them, batches for the queue.

Decides the order of questions. Refuses to know annotators, leases and rows of a database.
"""

from learning.query.batch import select_batch
from learning.query.catalogue import STRATEGIES, get_strategy
from learning.query.request import Proposal, Selection, SelectionRequest, Strategy
from learning.query.scores import Scores, ScoresError
from learning.query.scoring import score_blocks

__all__ = [
    "STRATEGIES",
    "Proposal",
    "Scores",
    "ScoresError",
    "Selection",
    "SelectionRequest",
    "Strategy",
    "get_strategy",
    "score_blocks",
    "select_batch",
]
