"""What each kind of white cell looks like, in numbers, and how two kinds blend into a borderline cell.

Decides sizes (µm), nuclei and granules after the usual descriptions of Wright-Giemsa smears; refuses to know
pixels. Sources: Palmer et al., ICSH recommendations for the morphology of peripheral blood cells, Int J Lab
Hematol 2015; Bain, Blood Cells, chapter 3.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A cell in numbers. Lengths in µm; shares, densities and depths mostly 0 to 1.

    The nucleus is a bent tube: `stretch` is its length in tube radii, `bend` the angle it turns through
    (radians), `lobes` the number of swellings and `waist` how far it narrows between them.
    """

    diameter_um: float
    irregular: float
    nucleus_share: float
    stretch: float
    bend: float
    lobes: float
    waist: float
    eccentric: float
    chromatin: float
    clumping: float
    nucleoli: float
    cytoplasm_pink: float
    cytoplasm_blue: float
    granules_fine: float
    granules_orange: float
    granules_dark: float
    vacuoles: float
    blurred_edge_um: float


_PLAIN = Recipe(
    diameter_um=12.0,
    irregular=0.03,
    nucleus_share=0.5,
    stretch=0.2,
    bend=0.3,
    lobes=1.0,
    waist=0.0,
    eccentric=0.2,
    chromatin=0.85,
    clumping=0.5,
    nucleoli=0.0,
    cytoplasm_pink=0.15,
    cytoplasm_blue=0.15,
    granules_fine=0.0,
    granules_orange=0.0,
    granules_dark=0.0,
    vacuoles=0.0,
    blurred_edge_um=0.25,
)


def _recipe(**changes: float) -> Recipe:
    return Recipe(**{field.name: changes.get(field.name, getattr(_PLAIN, field.name)) for field in fields(Recipe)})


RECIPES: dict[str, Recipe] = {
    "neutrophil": _recipe(
        diameter_um=13.2,
        nucleus_share=0.33,
        stretch=7.5,
        bend=4.0,
        lobes=3.7,
        waist=0.78,
        chromatin=0.92,
        clumping=0.65,
        cytoplasm_pink=0.34,
        cytoplasm_blue=0.05,
        granules_fine=0.55,
    ),
    "band": _recipe(
        diameter_um=13.4,
        nucleus_share=0.36,
        stretch=6.2,
        bend=3.4,
        lobes=1.7,
        waist=0.16,
        chromatin=0.84,
        clumping=0.5,
        cytoplasm_pink=0.32,
        cytoplasm_blue=0.08,
        granules_fine=0.55,
    ),
    "lymphocyte": _recipe(
        diameter_um=10.2,
        nucleus_share=0.74,
        stretch=0.25,
        eccentric=0.5,
        chromatin=1.0,
        clumping=0.75,
        cytoplasm_pink=0.05,
        cytoplasm_blue=0.45,
    ),
    "monocyte": _recipe(
        diameter_um=16.0,
        irregular=0.06,
        nucleus_share=0.46,
        stretch=2.6,
        bend=2.5,
        lobes=1.6,
        waist=0.18,
        chromatin=0.70,
        clumping=0.35,
        cytoplasm_pink=0.14,
        cytoplasm_blue=0.48,
        granules_fine=0.25,
        vacuoles=0.6,
    ),
    "eosinophil": _recipe(
        diameter_um=14.0,
        nucleus_share=0.30,
        stretch=4.6,
        bend=1.9,
        lobes=2.0,
        waist=0.68,
        chromatin=0.88,
        clumping=0.6,
        cytoplasm_pink=0.25,
        cytoplasm_blue=0.05,
        granules_orange=0.9,
    ),
    "basophil": _recipe(
        diameter_um=12.4,
        nucleus_share=0.42,
        stretch=3.4,
        bend=2.2,
        lobes=2.4,
        waist=0.45,
        chromatin=0.66,
        clumping=0.4,
        cytoplasm_pink=0.18,
        cytoplasm_blue=0.18,
        granules_dark=0.85,
    ),
    "blast": _recipe(
        diameter_um=15.0,
        irregular=0.05,
        nucleus_share=0.74,
        stretch=0.4,
        bend=0.6,
        eccentric=0.4,
        chromatin=0.66,
        clumping=0.16,
        nucleoli=2.2,
        cytoplasm_pink=0.02,
        cytoplasm_blue=0.72,
    ),
    "smudge": _recipe(
        diameter_um=14.0,
        irregular=0.22,
        nucleus_share=0.80,
        stretch=0.8,
        bend=0.8,
        chromatin=0.52,
        clumping=0.3,
        cytoplasm_pink=0.05,
        cytoplasm_blue=0.03,
        blurred_edge_um=1.3,
    ),
}

# Pairs that haematologists really disagree on.
BORDERLINE_PAIRS: tuple[tuple[str, str], ...] = (
    ("neutrophil", "band"),
    ("lymphocyte", "monocyte"),
    ("lymphocyte", "blast"),
    ("monocyte", "blast"),
    ("neutrophil", "eosinophil"),
    ("band", "monocyte"),
    ("eosinophil", "basophil"),
    ("lymphocyte", "smudge"),
)

# How far a feature strays from its kind, as a share of its value; shapes stray more than sizes.
_SPREAD = {
    "diameter_um": 0.12,
    "nucleus_share": 0.12,
    "chromatin": 0.16,
    "waist": 0.12,
    "lobes": 0.14,
    "clumping": 0.35,
    "cytoplasm_blue": 0.35,
    "granules_orange": 0.30,
    "granules_dark": 0.30,
}


def blend(first: Recipe, second: Recipe, *, weight: float) -> Recipe:
    """Return the cell between two kinds; `weight` (0 to 1) is the share of `second`."""
    return Recipe(
        **{
            field.name: (1 - weight) * getattr(first, field.name) + weight * getattr(second, field.name)
            for field in fields(Recipe)
        }
    )


def vary(recipe: Recipe, *, spread: float, rng: np.random.Generator) -> Recipe:
    """Return one individual of a kind: every number strays by its own share, times `spread`."""
    values = {}
    for field in fields(Recipe):
        mean = getattr(recipe, field.name)
        stray = spread * _SPREAD.get(field.name, 0.22)
        values[field.name] = mean * float(np.clip(1 + stray * rng.standard_normal(), 0.45, 1.8))
    values["nucleus_share"] = min(values["nucleus_share"], 0.88)
    values["waist"] = min(values["waist"], 0.9)
    return Recipe(**values)
