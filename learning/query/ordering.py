"""The best few of many, with equals put in an order that only the seed decides.

Decides how ties are broken. Refuses to know what is ordered.
"""

import numpy as np
from numpy.typing import NDArray

_STRIDE = 16  # of so many, one is looked at first


def order_best(utility: NDArray[np.floating], *, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Positions of the `count` highest of (N,), best first; linear time in N."""
    if count >= len(utility):
        positions = np.arange(len(utility))
    else:
        edge = _find_edge(utility, count) if count else np.inf
        above, equal = np.flatnonzero(utility > edge), np.flatnonzero(utility == edge)
        positions = np.concatenate([above, generator.choice(equal, count - len(above), replace=False)])
    lottery = generator.random(len(positions))
    result: NDArray[np.int64] = positions[np.lexsort((lottery, -utility[positions]))]
    return result


def _find_edge(utility: NDArray[np.floating], count: int) -> np.floating:
    """The `count`-th highest of (N,).

    It is not lower than the `count`-th highest of a part: of a million, all but a few are only compared with that.
    """
    part = utility[::_STRIDE]
    if count <= len(part):
        utility = utility[utility >= np.partition(part, -count)[-count]]
    edge: np.floating = np.partition(utility, -count)[-count]
    return edge
