"""Shards of several slides seen as one matrix, of which only the rows asked for are read.

Decides where row i of the pool lies. Refuses to know which region it is.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class FeatureRows:
    """Matrices (n_i, D), usually memory-mapped shards, one below the other without copying them."""

    def __init__(self, shards: Sequence[NDArray[np.floating]]) -> None:
        widths = {shard.shape[1] for shard in shards}
        if len(widths) > 1:
            raise ValueError(
                f"Shards of different width ({sorted(widths)}) come from different encoders; do not mix them."
            )
        self._shards = list(shards)
        self._starts = np.cumsum([0, *(len(shard) for shard in shards)])
        self.dimensions = widths.pop() if widths else 0

    def __len__(self) -> int:
        return int(self._starts[-1])

    def take(self, rows: NDArray[np.integer]) -> NDArray[np.float32]:
        """Rows of the pool (n,) as float32 (n, D), in the order asked for."""
        taken = np.empty((len(rows), self.dimensions), dtype=np.float32)
        shard_of = np.searchsorted(self._starts, rows, side="right") - 1
        for shard in np.unique(shard_of):
            here = np.flatnonzero(shard_of == shard)
            taken[here] = self._shards[shard][np.asarray(rows)[here] - self._starts[shard]]
        return taken


class ChosenRows(FeatureRows):
    """Some rows of another matrix, in a given order, as a matrix of their own; nothing is copied."""

    def __init__(self, source: FeatureRows, rows: NDArray[np.integer]) -> None:
        self._source = source
        self._rows = np.asarray(rows)
        self.dimensions = source.dimensions

    def __len__(self) -> int:
        return len(self._rows)

    def take(self, rows: NDArray[np.integer]) -> NDArray[np.float32]:
        """Rows of the choice (n,) as float32 (n, D), in the order asked for."""
        return self._source.take(self._rows[rows])
