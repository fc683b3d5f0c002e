"""How far suggestions sway people: what they answer under a wrong one, against what they answer under none.

Decides the share and its interval; refuses to know who was asked and how a suggestion was chosen.
"""

from dataclasses import dataclass
from math import exp, log, sqrt

from learning.shares import Z_95


@dataclass(frozen=True, slots=True)
class Sway:
    """The share of wrong suggestions that are taken over unseen; the bounds cover the true one 95 times in 100."""

    value: float
    low: float
    high: float


def estimate_sway(*, followed: int, planted: int, lapses: int, controls: int, z: float = Z_95) -> Sway | None:
    """The sway behind `followed` of `planted` wrong suggestions, where `lapses` of `controls` fell for the same class
    without a suggestion; None where either was never asked.

    Who is swayed with probability s, and else answers as ever, follows with s + (1 - s) e. So s is one less the ratio
    of those who resist, (1 - f) / (1 - e), whose logarithm is near enough to normal: Katz (1978), with halves added so
    that nothing is divided by zero (Walter 1975).
    """
    if not (0 <= followed <= planted and 0 <= lapses <= controls):
        raise ValueError(f"{followed} of {planted} and {lapses} of {controls} are no shares.")
    if not planted or not controls:
        return None
    resisted, unmoved = planted - followed + 0.5, controls - lapses + 0.5
    ratio = log(resisted / (planted + 0.5)) - log(unmoved / (controls + 0.5))
    error = sqrt(max(1 / resisted - 1 / (planted + 0.5) + 1 / unmoved - 1 / (controls + 0.5), 0.0))
    value, low, high = (1 - exp(ratio + shift * error) for shift in (0.0, z, -z))
    return Sway(_bound(value), _bound(low), _bound(high))


def _bound(value: float) -> float:
    return min(max(value, 0.0), 1.0)
