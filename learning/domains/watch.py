"""What a model can be trusted with in each domain: what is compared with what, and the verdict.

The regions that a model was trained on were chosen for being difficult and rare, so that they differ from all others by
the choice alone. Compared are therefore cases with all their regions: those of a domain, with those that the model has
learned from. Decides which domains count as known, what a domain is held against, and what is said of it; refuses to
know how two sides are compared (`shift`), and what people do about it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from learning.domains import shift
from learning.domains.shift import FEWEST_CASES, Comparison, Sides

KNOWN_REGIONS = 20
"""Training regions from which on a domain can be a measure for others."""


class Verdict(StrEnum):
    """What the embeddings say of a domain."""

    FEW = "few"
    LEARNED = "learned"
    ALIKE = "alike"
    UNLIKE = "unlike"


@dataclass(frozen=True, slots=True)
class Units:
    """What each case has in each domain: U units, and a sample of N regions of them.

    domains (U,) names; cases (U,); regions, trained (U,): how many regions, and how many the model was trained on;
    shares (U, K): of the predicted classes; levels (U,): mean disagreement of the ensemble, nats. features (N, D);
    unit_of (N,): index into the units.
    """

    domains: list[str]
    cases: NDArray[np.int64]
    regions: NDArray[np.int64]
    trained: NDArray[np.int64]
    shares: NDArray[np.float64]
    levels: NDArray[np.float64]
    features: NDArray[np.floating]
    unit_of: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of one domain. `nearest` is the known domain that it is most like, empty where none was looked at.

    `apart` (AUC) belongs to it; `classes` (total variation, with the population stability index) and `disagreement`
    (nats over `usual_level`, that of the other domains) hold the whole domain against all others.
    """

    verdict: Verdict
    cases: int
    learned_cases: int
    regions: int
    trained: int
    nearest: str = ""
    apart: Comparison | None = None
    classes: Comparison | None = None
    stability_index: float = float("nan")
    disagreement: Comparison | None = None
    usual_level: float = float("nan")


def watch(
    units: Units, *, seed: int, told: Callable[[int, int], None] = lambda done, total: None
) -> dict[str, Finding]:
    """The finding of every domain, by name. The same units and seed give the same findings."""
    names = np.array(units.domains)
    learned = units.trained > 0
    every = sorted(set(units.domains))
    known = [name for name in every if _is_known(units, names == name)]
    found = {}
    for place, name in enumerate(every):
        own = names == name
        # Of a domain that the model knows, what it has not learned from is the question: a lab may change its scanner.
        new = own & ~learned if name in known else own
        groups = {other: (names == other) & learned & ~new for other in known}
        found[name] = _judge(units, own, new, groups, is_known=name in known, seed=seed + place)
        told(place + 1, len(every))
    return found


def find_nearest(comparisons: Mapping[str, Comparison]) -> str:
    """The known group that a domain is most like.

    A domain is unlike all that is known only if it is unlike each part of it, so the largest p decides, and no
    correction for the number of parts is due (intersection-union test, Berger 1982).
    """
    return min(comparisons, key=lambda name: (-comparisons[name].p, comparisons[name].value, name))


def _is_known(units: Units, own: NDArray[np.bool_]) -> bool:
    trained = units.trained[own]
    return int((trained > 0).sum()) >= FEWEST_CASES and int(trained.sum()) >= KNOWN_REGIONS


def _judge(
    units: Units,
    own: NDArray[np.bool_],
    new: NDArray[np.bool_],
    groups: Mapping[str, NDArray[np.bool_]],
    *,
    is_known: bool,
    seed: int,
) -> Finding:
    comparisons = {name: one for name, group in groups.items() if (one := _tell_apart(units, new, group, seed))}
    nearest = find_nearest(comparisons) if comparisons else ""
    verdict = Verdict.LEARNED if is_known else Verdict.FEW
    if comparisons:
        verdict = Verdict.UNLIKE if comparisons[nearest].is_unusual else Verdict.ALIKE
    others = ~own
    rows, sides = _face(units, own, others & (units.trained > 0))
    shares = units.shares[rows]
    classes = shift.compare_shares(shares, sides=sides, seed=seed)
    all_rows, all_sides = _face(units, own, others)
    return Finding(
        verdict=verdict,
        cases=int(own.sum()),
        learned_cases=int((units.trained[own] > 0).sum()),
        regions=int(units.regions[own].sum()),
        trained=int(units.trained[own].sum()),
        nearest=nearest,
        apart=comparisons.get(nearest),
        classes=classes,
        stability_index=(
            shift.measure_psi(shares, sides=sides, count=int(units.regions[rows].sum())) if classes else float("nan")
        ),
        disagreement=shift.compare_levels(units.levels[all_rows], sides=all_sides, seed=seed),
        usual_level=float(units.levels[others].mean()) if others.any() else float("nan"),
    )


def _tell_apart(units: Units, new: NDArray[np.bool_], group: NDArray[np.bool_], seed: int) -> Comparison | None:
    rows, sides = _face(units, new, group)
    place = np.full(len(units.cases), -1)
    place[rows] = np.arange(len(rows))
    here = place[units.unit_of] >= 0
    return shift.tell_apart(units.features[here], units=place[units.unit_of[here]], sides=sides, seed=seed)


def _face(units: Units, new: NDArray[np.bool_], known: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Sides]:
    """The units of two sides and these sides.

    A case with units in several known domains keeps the first, as nothing there is compared with itself.
    """
    first, other = np.flatnonzero(new), np.flatnonzero(known)
    _, kept = np.unique(units.cases[other], return_index=True)
    rows = np.concatenate([first, other[np.sort(kept)]])
    return rows, Sides(cases=units.cases[rows], is_new=np.arange(len(rows)) < len(first))
