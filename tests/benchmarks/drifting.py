"""How often drift is called where there is none, and how soon where there is: the windowed test beside a CUSUM.

Decides the simulated people; both see the same checks. The CUSUM (Reynolds & Stoumbos 1999, odds of an error doubled)
learns what is usual from what came before, as nobody knows it beforehand.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning.consensus import drift
from learning.consensus.sway import estimate_sway

PEOPLE = 300
CHECKS = 400
FALLS = ((0.95, 0.8), (0.9, 0.75), (0.9, 0.6), (0.85, 0.7), (0.85, 0.5))
CUSUM_LIMIT = 4.5
Scores = NDArray[np.float64]


def measure_drifting() -> dict[str, Any]:
    """Shares of people: called at any time in 400 steady checks; called within 100 checks of a fall after 300; again
    sound within 150 good ones. And how often the interval of sway covers the truth.
    """
    rng = np.random.default_rng(0)
    numbers: dict[str, Any] = {"people": PEOPLE, "window": 50, "steady_checks": CHECKS}
    for rate in (0.98, 0.95, 0.85, 0.7):
        steady = [_throw(rng, (rate, CHECKS)) for _ in range(PEOPLE)]
        numbers[f"false_alarm_{rate}"] = _share(steady, _windowed)
        numbers[f"false_alarm_{rate}_cusum"] = _share(steady, _cusum)
    for before, after in FALLS:
        numbers |= _follow_fall(rng, before, after)
    return numbers | _cover_sway(rng)


def _follow_fall(rng: np.random.Generator, before: float, after: float) -> dict[str, Any]:
    fallen = [_throw(rng, (before, 300), (after, 100)) for _ in range(PEOPLE)]
    places = [place for one in fallen if (place := _windowed(one)) is not None and place > 300]
    restored = [np.concatenate([one, _throw(rng, (before, 150))]) for one in fallen]
    name = f"{before}_to_{after}"
    return {
        f"found_{name}": len(places) / PEOPLE,
        f"checks_until_found_{name}": float(np.median(places)) - 300,
        f"sound_again_{name}": 1.0 - float(np.mean([_course(one).is_drifting for one in restored])),
        f"found_{name}_cusum": _share([one[-400:] for one in fallen], _cusum),
    }


def _throw(rng: np.random.Generator, *spells: tuple[float, int]) -> Scores:
    return np.concatenate([(rng.random(count) < rate).astype(np.float64) for rate, count in spells])


def _share(people: list[Scores], first_alarm: Callable[[Scores], int | None]) -> float:
    return float(np.mean([first_alarm(one) is not None for one in people]))


def _course(scores: Scores) -> drift.Course:
    return drift.follow(scores, np.zeros(len(scores), dtype=np.int64), window=50)


def _windowed(scores: Scores) -> int | None:
    """After how many checks drift is first called."""
    return next(iter(_course(scores).called), None)


def _cusum(scores: Scores) -> int | None:
    right, wrong, excess = 8.0, 2.0, 0.0
    held = [0.0, 0.0]
    for place, score in enumerate(scores):
        usual = right / (right + wrong)
        worse = usual / (usual + 2.0 * (1.0 - usual))
        if place >= 2 * drift.FEWEST:
            excess = max(0.0, excess + np.log(worse / usual if score else (1.0 - worse) / (1.0 - usual)))
        if excess >= CUSUM_LIMIT:
            return place
        held = [held[0] + score, held[1] + 1.0 - score]
        if excess == 0.0:
            right, wrong, held = right + held[0], wrong + held[1], [0.0, 0.0]
    return None


def _cover_sway(rng: np.random.Generator, tries: int = 4000) -> dict[str, Any]:
    """How often the interval holds the true sway: 60 planted answers, 60 controls, a lapse in 30."""
    numbers = {}
    for true in (0.0, 0.1, 0.3, 0.6):
        follow = true + (1 - true) / 30
        pairs = zip(rng.binomial(60, follow, tries), rng.binomial(60, 1 / 30, tries), strict=True)
        found = [estimate_sway(followed=int(f), planted=60, lapses=int(e), controls=60) for f, e in pairs]
        inside = [one is not None and one.low - 1e-9 <= true <= one.high + 1e-9 for one in found]
        numbers[f"sway_{true}_covered"] = float(np.mean(inside))
    return numbers
