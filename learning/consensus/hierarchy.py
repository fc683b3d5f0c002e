"""Classes of classes: a parent holds where its kinds stay undecided.

Decides what belongs to a family and which class stands for an undecided posterior; refuses to know when the asking
ends (`settlement`). `parents` names the place of each class's parent, -1 where it has none.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from learning.consensus.answers import Floats

Families = NDArray[np.bool_]

ROOT = -1


def families_of(parents: Sequence[int]) -> Families:
    """Return who belongs to whom: (K, K), row = a class, column = itself and every kind below it.

    ValueError for a parent that is no class, and for classes that are above themselves.
    """
    count = len(parents)
    families = np.eye(count, dtype=bool)
    for kind in range(count):
        above, steps = parents[kind], 0
        while above != ROOT:
            if not 0 <= above < count or steps == count:
                raise ValueError(f"Parents {tuple(parents)} are no hierarchy of {count} classes.")
            families[above, kind] = True
            above, steps = parents[above], steps + 1
    return families


def share_by_family(posterior: Floats, families: Families) -> Floats:
    """Return what each class has together with its kinds: (..., K) of a posterior (..., K)."""
    return np.asarray(posterior @ families.T.astype(np.float64), dtype=np.float64)


def find_holder(posterior: Floats, families: Families, *, target: float) -> tuple[int, float] | None:
    """Return the smallest family whose share reaches `target`, as its head and that share; None where none does.

    A class without kinds holds nothing but itself and is no answer here. Of two families as small, the likelier.
    """
    shares, sizes = share_by_family(posterior, families), families.sum(axis=1)
    heads = np.flatnonzero((sizes > 1) & (shares >= target))
    if not len(heads):
        return None
    head = min(heads.tolist(), key=lambda one: (sizes[one], -shares[one]))
    return head, float(shares[head])


def find_common(classes: NDArray[np.bool_], families: Families) -> int | None:
    """Return the head of the smallest family that holds all of `classes` (K,); None where they have none in common."""
    heads = np.flatnonzero((families | ~classes).all(axis=1) & (families.sum(axis=1) > 1))
    if not len(heads):
        return None
    return int(min(heads.tolist(), key=lambda one: int(families[one].sum())))
