"""Whether two class colours can be told apart, also by those who see red and green less well.

Decides by distance in CIELAB (CIE 1976); refuses to forbid anything, as classes have patterns and letters too.
"""

from collections.abc import Sequence
from itertools import combinations

NEAREST = 18.0
"""Below this distance two small patches look alike side by side on a stained slide."""
_WHITE = (0.9505, 1.0, 1.089)
# Deuteranopia in linear RGB, after Viénot, Brettel and Mollon (Color Research & Application 24:4, 1999).
_DEUTERANOPIA = ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0))

Triple = tuple[float, float, float]


def similar(colours: Sequence[str]) -> list[tuple[int, int, bool]]:
    """Pairs (from 0) that are hard to tell apart; True where only with weak red-green vision. Colours as #rrggbb."""
    linear = [_linear(colour) for colour in colours]
    seen = [_lab(one) for one in linear]
    weak = [_lab(_apply(_DEUTERANOPIA, one)) for one in linear]
    found = []
    for first, second in combinations(range(len(colours)), 2):
        if _distance(seen[first], seen[second]) < NEAREST:
            found.append((first, second, False))
        elif _distance(weak[first], weak[second]) < NEAREST / 2:
            found.append((first, second, True))
    return found


def _linear(colour: str) -> Triple:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return red, green, blue


def _lab(linear: Triple) -> Triple:
    xyz = _apply(((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505)), linear)
    x, y, z = (_cube_root(max(0.0, value) / white) for value, white in zip(xyz, _WHITE, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _cube_root(value: float) -> float:
    return value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116


def _apply(matrix: tuple[Triple, Triple, Triple], value: Triple) -> Triple:
    first, second, third = (sum(a * b for a, b in zip(row, value, strict=True)) for row in matrix)
    return first, second, third


def _distance(first: Triple, second: Triple) -> float:
    return float(sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) ** 0.5)
