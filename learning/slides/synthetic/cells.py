"""Drawing one cell as amounts of stain.

Decides where the stains of a cell lie; refuses to know their colours and the slide around it. A drawing is a
stack of planes, one for each stain, and how far it hides what lies beneath.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from learning.slides.synthetic import shapes
from learning.slides.synthetic.recipes import Recipe
from learning.slides.synthetic.shapes import Plane, Texture

PINK, VIOLET, BLUE, ORANGE, LILAC, DARK = range(6)
STAINS = 6
# Grains of the shared textures in pixels: fine granules, coarse granules, chromatin clumps, cloudy cytoplasm.
FINE, COARSE, CLUMP, CLOUD = 0.8, 1.25, 1.9, 5.0
GRAINS = (FINE, COARSE, CLUMP, CLOUD)


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """stains: float32 (STAINS, edge, edge), about 0 to 1; hides: float32 (edge, edge), 1 where nothing shines
    through.
    """

    stains: Plane
    hides: Plane


def draw_white_cell(recipe: Recipe, *, um_per_px: float, texture: Texture, rng: np.random.Generator) -> Drawing:
    """Draw a nucleated cell in the middle of a square just large enough for it."""
    radius = recipe.diameter_um / um_per_px / 2
    edge = int(2 * radius * (1.25 + 2 * recipe.irregular)) + 8
    x, y = shapes.grid(edge)
    soft = max(1.2, recipe.blurred_edge_um / um_per_px)
    inside = shapes.outline(x, y, radius=radius, irregular=recipe.irregular, rng=rng)
    cell = shapes.soften(inside, width=soft)
    nucleus = _nucleus(recipe, x, y, radius=radius, soft=soft, rng=rng)
    nucleus *= shapes.soften(inside - 1, width=soft)
    stains = np.zeros((STAINS, edge, edge), dtype=np.float32)
    _fill_cytoplasm(stains, recipe, cell * (1 - nucleus), texture=texture, rng=rng)
    _hollow_vacuoles(stains, recipe, x, y, radius=radius, rng=rng)
    stains[VIOLET] += nucleus * _chromatin(recipe, x, y, radius=radius, texture=texture, rng=rng)
    _scatter_granules(stains, recipe, cell, nucleus, texture=texture, rng=rng)
    return Drawing(stains=stains, hides=cell)


def draw_red_cell(
    *,
    um_per_px: float,
    diameter_um: float,
    pallor: float,
    stretch: float,
    crenation: float,
    rng: np.random.Generator,
) -> Drawing:
    """Draw a red cell: a disc, thinner in the middle by `pallor` (0 to 1), longer than wide by `stretch`."""
    radius = diameter_um / um_per_px / 2
    edge = int(2 * radius * max(1.2, stretch * 1.15)) + 6
    x, y = shapes.grid(edge)
    turned = rng.uniform(0, 2 * np.pi)
    cosine, sine = np.float32(np.cos(turned)), np.float32(np.sin(turned))
    longer = np.sqrt(np.float32(stretch))
    u: Plane = (cosine * x + sine * y) / longer
    v: Plane = (cosine * y - sine * x) * longer
    waves = (2, 3, 4) if crenation == 0 else (9, 11)
    inside = shapes.outline(u, v, radius=radius, irregular=max(0.025, crenation), rng=rng, waves=waves)
    disc = shapes.soften(inside, width=1.8)
    middle = np.exp(-((np.hypot(u - rng.normal(0, 0.06) * radius, v) / (0.42 * radius)) ** 2))
    rim = np.exp(-(((inside - 0.22 * radius) / (0.16 * radius)) ** 2))
    stains = np.zeros((STAINS, edge, edge), dtype=np.float32)
    stains[PINK] = disc * (0.84 - pallor * middle + 0.18 * rim)
    return Drawing(stains=stains, hides=np.zeros_like(disc))


def draw_platelets(
    *, count: int, um_per_px: float, spread_um: float, texture: Texture, rng: np.random.Generator
) -> Drawing:
    """Draw a clump of platelets: small lilac bodies with granules, some touching."""
    edge = int((2 * spread_um + 7) / um_per_px)
    x, y = shapes.grid(edge)
    centres = rng.normal(0, spread_um / 2.2 / um_per_px, size=(count, 2)).clip(-edge / 2 + 9, edge / 2 - 9)
    radii = rng.uniform(0.8, 1.7, size=count) / um_per_px
    ragged = 1.3 * texture.cut(CLUMP, edge=edge, rng=rng)
    bodies = np.full(x.shape, -np.inf, dtype=np.float32)
    for (cx, cy), radius in zip(centres, radii, strict=True):
        np.maximum(bodies, np.float32(radius) - np.hypot(x - np.float32(cx), y - np.float32(cy)), out=bodies)
    body = shapes.soften(bodies + ragged, width=2.2)
    granules = np.clip(texture.cut(FINE, edge=edge, rng=rng), 0, 1.6)
    core = shapes.soften(bodies - 0.5 / um_per_px * 0.6 + ragged, width=3.0)
    stains = np.zeros((STAINS, edge, edge), dtype=np.float32)
    stains[LILAC] = body * 0.75 + core * granules * 0.7
    stains[VIOLET] = core * (0.16 + 0.16 * granules)
    return Drawing(stains=stains, hides=body * 0.5)


def _nucleus(recipe: Recipe, x: Plane, y: Plane, *, radius: float, soft: float, rng: np.random.Generator) -> Plane:
    """The bent tube, as thick as its share of the cell's area asks for, off centre where there is room."""
    area = recipe.nucleus_share * np.pi * radius**2
    narrowed = 1 - 0.62 * recipe.waist
    thick = float(np.sqrt(area / (2 * recipe.stretch * narrowed + np.pi)))
    room = max(0.0, radius - thick * (1 + recipe.stretch / 5))
    away, where = room * recipe.eccentric, rng.uniform(0, 2 * np.pi)
    inside = shapes.tube(
        x - np.float32(away * np.cos(where)),
        y - np.float32(away * np.sin(where)),
        radius=thick,
        length=recipe.stretch * thick,
        bend=recipe.bend,
        lobes=recipe.lobes,
        waist=recipe.waist,
        rng=rng,
    )
    return shapes.soften(inside, width=soft)


def _chromatin(
    recipe: Recipe, x: Plane, y: Plane, *, radius: float, texture: Texture, rng: np.random.Generator
) -> Plane:
    """Density inside the nucleus: clumps of dark and light, paler nucleoli with a darker ring."""
    edge = x.shape[0]
    clumps = np.clip(texture.cut(CLUMP, edge=edge, rng=rng), -1.8, 1.8)
    fine = texture.cut(FINE, edge=edge, rng=rng)
    density = recipe.chromatin * (1 + recipe.clumping * 0.34 * clumps + 0.05 * fine)
    count = int(rng.poisson(recipe.nucleoli))
    if count:
        centres = rng.normal(0, 0.30 * radius, size=(count, 2))
        radii = rng.uniform(0.10, 0.17, size=count) * radius
        spots = shapes.discs(x, y, centres=centres, radii=radii, width=2.5)
        rings = shapes.discs(x, y, centres=centres, radii=radii * 1.5, width=2.5) - spots
        density = density * (1 - 0.34 * spots + 0.10 * rings)
    result: Plane = np.clip(density, 0.08, 1.6).astype(np.float32)
    return result


def _fill_cytoplasm(
    stains: Plane, recipe: Recipe, cytoplasm: Plane, *, texture: Texture, rng: np.random.Generator
) -> None:
    cloud = 1 + 0.16 * texture.cut(CLOUD, edge=cytoplasm.shape[0], rng=rng)
    stains[PINK] += cytoplasm * cloud * recipe.cytoplasm_pink
    stains[BLUE] += cytoplasm * cloud * recipe.cytoplasm_blue


def _hollow_vacuoles(
    stains: Plane, recipe: Recipe, x: Plane, y: Plane, *, radius: float, rng: np.random.Generator
) -> None:
    count = int(rng.poisson(4 * recipe.vacuoles))
    if not count:
        return
    angle, away = rng.uniform(0, 2 * np.pi, size=count), radius * rng.uniform(0.45, 0.9, size=count)
    centres = np.stack([away * np.cos(angle), away * np.sin(angle)], axis=1)
    holes = shapes.discs(x, y, centres=centres, radii=rng.uniform(1.2, 2.6, size=count), width=1.8)
    stains *= 1 - 0.8 * holes


def _scatter_granules(
    stains: Plane, recipe: Recipe, cell: Plane, nucleus: Plane, *, texture: Texture, rng: np.random.Generator
) -> None:
    """Granules are where noise of their grain is high: orange ones beside the nucleus, dark ones over it."""
    edge = cell.shape[0]
    beside = cell * (1 - 0.85 * nucleus)
    fine = np.clip(texture.cut(FINE, edge=edge, rng=rng) - 0.2, 0, 1.5)
    stains[LILAC] += beside * recipe.granules_fine * (0.16 + 0.55 * fine)
    orange = shapes.soften(texture.cut(COARSE, edge=edge, rng=rng) + 0.45, width=1.1)
    stains[ORANGE] += beside * recipe.granules_orange * orange * 0.85
    dark = texture.cut(COARSE, edge=edge, rng=rng) - 0.35 + 0.4 * recipe.granules_dark
    stains[DARK] += cell * recipe.granules_dark * shapes.soften(dark, width=0.9) * 0.80
