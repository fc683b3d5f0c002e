"""A share of yes among a few, with how sure one can be of it.

Decides the interval (Wilson 1927), which stays between 0 and 1 and holds for small counts; refuses to know what is
counted, and assumes that the items are independent: where they come in cases, bootstrap the cases instead.
"""

from dataclasses import dataclass
from math import sqrt

Z_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Share:
    """`value` of `count` items said yes; the bounds cover the true share 95 times in 100."""

    value: float
    low: float
    high: float
    count: int


def estimate_share(*, yes: int, count: int, z: float = Z_95) -> Share | None:
    """The share `yes` / `count` with its Wilson interval; None where nothing was counted."""
    if not 0 <= yes <= count:
        raise ValueError(f"{yes} of {count} is no share.")
    if count == 0:
        return None
    value, weight = yes / count, z * z / count
    middle = (value + weight / 2) / (1 + weight)
    reach = z * sqrt(value * (1 - value) / count + weight / (4 * count)) / (1 + weight)
    return Share(value=value, low=max(middle - reach, 0.0), high=min(middle + reach, 1.0), count=count)
