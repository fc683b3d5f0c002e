"""Draws that repeat: a number fixed by the study's seed and what it is drawn for, whatever the order of asking.

Decides the number, and how a sample follows given shares; refuses to know what a draw is used for.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping


def uniform(*parts: object) -> float:
    """A number in [0, 1) that depends on `parts` alone."""
    text = ":".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64


def by_shares(
    labels: Mapping[str, str],
    *,
    shares: Mapping[str, float],
    seen: Mapping[str, int],
    count: int,
    draw: Callable[[str], float],
) -> list[str]:
    """Up to `count` of the names in `labels`, so that with what was `seen` before their labels follow `shares`.

    Each time a label is drawn in proportion to what it lacks; one that lacks nothing is not drawn, so that fewer come
    where only labels are left that would stand out. Without shares all labels are alike. `draw` gives each text its
    number.
    """
    left: dict[str, list[str]] = {}
    for name in sorted(labels, key=draw, reverse=True):
        left.setdefault(labels[name] if shares else "", []).append(name)
    wanted = _normal(shares) if shares else {"": 1.0}
    had = Counter(seen) if shares else Counter[str]()
    chosen: list[str] = []
    while len(chosen) < count:
        lacking = {label: wanted.get(label, 0.0) * (had.total() + 1) - had[label] for label in sorted(left)}
        lacking = {label: lack for label, lack in lacking.items() if lack > 0 and left[label]}
        if not lacking:
            break
        label = _pick(lacking, draw(f"turn {had.total()}"))
        chosen.append(left[label].pop())
        had[label] += 1
    return chosen


def _normal(shares: Mapping[str, float]) -> dict[str, float]:
    total = sum(shares.values())
    return {label: share / total for label, share in shares.items()} if total > 0 else {}


def _pick(weights: Mapping[str, float], at: float) -> str:
    """The key on which the number `at` in [0, 1) falls."""
    place = at * sum(weights.values())
    for key, weight in weights.items():
        place -= weight
        if place < 0:
            return key
    return next(reversed(list(weights)))
