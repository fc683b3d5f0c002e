"""What may leave a slide file: an allow-list of technical properties, each with the form its value must have.

Decides what is plausible as a pixel size or objective; refuses to know vendors, dates, serial numbers,
comments, names and paths. Identity hides in free text, so a value passes by its form and not by its key
alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

_NUMBER = re.compile(r"\d{1,12}(\.\d{1,20})?")
_ALLOWED: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = (
    (re.compile(r"openslide\.vendor"), re.compile(r"[a-z][a-z0-9-]{0,30}")),
    (re.compile(r"openslide\.background-color"), re.compile(r"[0-9A-Fa-f]{6}")),
    (re.compile(r"openslide\.(mpp-x|mpp-y|objective-power|level-count)"), _NUMBER),
    (re.compile(r"openslide\.bounds-(x|y|width|height)"), _NUMBER),
    (re.compile(r"openslide\.level\[\d{1,3}\]\.(width|height|downsample|tile-width|tile-height)"), _NUMBER),
    (re.compile(r"image\.(format|mode)"), re.compile(r"[A-Za-z0-9;]{1,8}")),
)

# Below, no light microscope resolves anything; above, it is a print resolution (2400 dpi is 10.6 µm), not
# optics.
SMALLEST_UM_PER_PX = 0.01
LARGEST_UM_PER_PX = 10.0
# Pixels that are twice as wide as high come from damaged metadata, not from a scanner.
LARGEST_ASPECT = 2.0
LARGEST_OBJECTIVE = 200.0


def allow(properties: Mapping[str, str]) -> dict[str, str]:
    """Return the properties that may be stored and served; everything not named here is dropped."""
    return {
        key: value
        for key, value in properties.items()
        if any(name.fullmatch(key) and form.fullmatch(value) for name, form in _ALLOWED)
    }


def parse_pixel_size(across: str | float | None, down: str | float | None) -> tuple[float, float] | None:
    """Return (x, y) in µm per pixel, or None (unknown) where either is missing, zero or absurd."""
    x, y = _number(across), _number(down)
    if x is None or y is None:
        return None
    if not all(SMALLEST_UM_PER_PX <= size <= LARGEST_UM_PER_PX for size in (x, y)):
        return None
    if max(x, y) / min(x, y) > LARGEST_ASPECT:
        return None
    return x, y


def parse_objective(text: str | None) -> float | None:
    """Return the nominal magnification, or None where it is missing or absurd."""
    power = _number(text)
    return power if power is not None and 0 < power <= LARGEST_OBJECTIVE else None


def parse_colour(text: str | None) -> tuple[int, int, int] | None:
    """Return (red, green, blue) of a six-digit hexadecimal colour, or None."""
    if text is None or not re.fullmatch(r"[0-9A-Fa-f]{6}", text):
        return None
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def _number(value: str | float | None) -> float | None:
    try:
        number = float(value) if value is not None else math.nan
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
