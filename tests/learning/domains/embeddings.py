"""Embeddings of cases that differ from one another as patients do, for tests and benchmarks of the watch over domains.

Decides how much cases and domains differ; refuses to know what is done with them.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from learning.domains.watch import Units

WIDTH = 24


def draw_units(
    generator: np.random.Generator,
    plan: Sequence[tuple[str, int, int]],
    *,
    shifts: Mapping[str, float] | None = None,
    case_effect: float = 1.0,
    regions: int = 30,
    trained: int = 5,
    classes: int = 4,
) -> Units:
    """Units of `plan`: (domain, cases, how many of them the model has learned from).

    A case lies `case_effect` standard deviations of a region away from its domain's middle in each direction, a domain
    as many as `shifts` says, along a direction of its own.
    """
    domains: list[str] = []
    learned: list[int] = []
    parts: list[NDArray[np.float64]] = []
    counts: list[int] = []
    for name, cases, known in plan:
        direction = generator.normal(size=WIDTH)
        middle = (shifts or {}).get(name, 0.0) * direction / np.linalg.norm(direction)
        for case in range(cases):
            count = int(generator.integers(regions // 2, regions * 2))
            domains.append(name)
            learned.append(trained if case < known else 0)
            counts.append(count)
            parts.append(middle + case_effect * generator.normal(size=WIDTH) + generator.normal(size=(count, WIDTH)))
    units = len(domains)
    return Units(
        domains=domains,
        cases=np.arange(units),
        regions=np.array(counts),
        trained=np.array(learned),
        shares=generator.dirichlet(np.full(classes, 8.0), size=units),
        levels=generator.gamma(4.0, 0.05, size=units),
        features=np.concatenate(parts),
        unit_of=np.repeat(np.arange(units), counts),
    )
