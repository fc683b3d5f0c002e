"""The best few of many, with equals put in an order that only the seed decides.

Decides how ties are broken. Refuses to know what is ordered.
"""

import numpy as np
from numpy.typing import NDArray


def order_best(utility: NDArray[np.floating], *, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Positions of the `count` highest of (N,), best first; linear time in N."""
    if count >= len(utility):
        positions = np.arange(len(utility))
    else:
        edge = np.partition(utility, len(utility) - count)[len(utility) - count] if count else np.inf
        above, equal = np.flatnonzero(utility > edge), np.flatnonzero(utility == edge)
        positions = np.concatenate([above, generator.choice(equal, count - len(above), replace=False)])
    lottery = generator.random(len(positions))
    result: NDArray[np.int64] = positions[np.lexsort((lottery, -utility[positions]))]
    return result
