"""Several ways from opinions to one label, side by side: for each region, and how often they agree in a study.

Decides what a method says of a region and what counts as the same; refuses to prefer one: the study's policy does.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from learning.consensus import Answers, majority

Said = tuple[str, float]

STANDING, MAJORITY, DAWID_SKENE, CROWDLAB = "standing", "majority", "dawid-skene", "crowdlab"

NAMES = {
    STANDING: "The label that stands",
    MAJORITY: "Majority",
    DAWID_SKENE: "Dawid-Skene",
    CROWDLAB: "CROWDLAB",
}

_PLACES = 6


def by_people(
    regions: Sequence[str], answers: Answers, posterior: np.ndarray, codes: Sequence[str]
) -> dict[str, dict[str, Said]]:
    """Method -> region -> the class it says and its share: majority and Dawid-Skene. A tie says no class."""
    votes = majority.tally(answers)
    return {
        method: dict(zip(regions, _lead(shares, codes), strict=True))
        for method, shares in ((MAJORITY, votes), (DAWID_SKENE, posterior))
    }


def _lead(shares: np.ndarray, codes: Sequence[str]) -> list[Said]:
    labels = majority.choose_labels(shares).tolist()
    tops = np.round(shares.max(axis=1), _PLACES).tolist() if len(shares) else []
    return [("" if label == majority.TIE else codes[label], top) for label, top in zip(labels, tops, strict=True)]


def others_of(region: str, methods: Mapping[str, Mapping[str, Said]]) -> dict[str, list[Any]]:
    """What each method says of a region, for those that say anything: method -> [label, confidence]."""
    return {method: list(said[region]) for method, said in methods.items() if region in said}


def compare(labels: Mapping[str, str], methods: Mapping[str, Mapping[str, Said]]) -> list[dict[str, Any]]:
    """Of each two methods: how many regions both judge, and on how many they agree, in all and by standing class.

    `labels` says what stands: region -> class. Methods that judge nothing are left out.
    """
    said = {STANDING: {region: (label, 1.0) for region, label in labels.items()}, **methods}
    pairs = []
    for first, second in combinations([name for name in NAMES if said.get(name)], 2):
        both = [region for region in labels if region in said[first] and region in said[second]]
        same = [region for region in both if said[first][region][0] == said[second][region][0] != ""]
        classes = _count(labels[region] for region in both)
        agreed = _count(labels[region] for region in same)
        pairs.append(
            {
                "first": first,
                "second": second,
                "regions": len(both),
                "same": len(same),
                "classes": {code: [agreed.get(code, 0), count] for code, count in sorted(classes.items())},
            }
        )
    return [pair for pair in pairs if pair["regions"]]


def _count(labels: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for label in labels:
        counts[label] = counts.get(label, 0) + 1
    return counts
