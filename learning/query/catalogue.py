"""Strategies by name.

Decides which names a study may ask for. Refuses to know what a strategy does.
"""

from learning.query.badge import Badge
from learning.query.bald import Bald
from learning.query.chance import Chance
from learning.query.cold_start import ColdStart
from learning.query.core_set import CoreSet
from learning.query.entropy import Entropy
from learning.query.margin import Margin
from learning.query.ranked import Ranked
from learning.query.request import Strategy

STRATEGIES: dict[str, Strategy] = {
    "badge": Badge(),
    "bald": Bald(),
    "cold_start": ColdStart(),
    "core_set": CoreSet(),
    "entropy": Entropy(),
    "margin": Margin(),
    "random": Chance(),
    "ranked": Ranked(),
}


def get_strategy(name: str) -> Strategy:
    """The strategy of this name. Raises ValueError that lists the known names for any other."""
    if name not in STRATEGIES:
        raise ValueError(f"There is no strategy named {name!r}. Known strategies: {', '.join(sorted(STRATEGIES))}.")
    return STRATEGIES[name]
