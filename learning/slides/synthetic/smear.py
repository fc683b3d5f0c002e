"""One smear: where the cells lie, which kind each is, and the stains of the whole slide.

Decides the plan of a slide from a seed and renders it; refuses to know files and studies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learning.slides.synthetic import cells, labs
from learning.slides.synthetic.catalogue import CELL_CLASSES
from learning.slides.synthetic.cells import Drawing
from learning.slides.synthetic.labs import Lab
from learning.slides.synthetic.recipes import BORDERLINE_PAIRS, RECIPES, blend, vary
from learning.slides.synthetic.shapes import Plane, Texture

UM_PER_PX = 0.2
# Cells of interest lie on a loose lattice this many region edges apart, so that no region shows two of them.
_SPACING = 2.1
_BORDERLINE_RATE = 0.11
# How unlike the cells of one kind are. Tuned so that a model that has seen every label still errs; see the
# tests.
SPREAD = 1.25


@dataclass(frozen=True, kw_only=True)
class PlantedCell:
    """A cell of interest: its centre in level-0 pixels, its kind, and the second kind if borderline."""

    x: int
    y: int
    code: str
    borderline: str | None = None
    weight: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What will be on a slide: its edge in pixels and its cells of interest."""

    edge: int
    cells: tuple[PlantedCell, ...]


def plan_smear(*, count: int, region_edge: int, shares: NDArray[np.float64], rng: np.random.Generator) -> Plan:
    """Choose place and kind of `count` cells; `shares` (one for each cell class) need not sum to one."""
    side = math.ceil(math.sqrt(count * 1.2))
    pitch = int(region_edge * _SPACING)
    places = rng.permutation(side * side)[:count]
    play = (pitch - region_edge * 1.15) / 2
    kinds = rng.choice(len(CELL_CLASSES), size=count, p=shares / shares.sum())
    planted = []
    for place, kind in zip(places, kinds, strict=True):
        away = rng.uniform(-play, play, size=2)
        x = int((place % side + 0.5) * pitch + away[0])
        y = int((place // side + 0.5) * pitch + away[1])
        code, other, weight = _maybe_borderline(CELL_CLASSES[kind].code, rng)
        planted.append(PlantedCell(x=x, y=y, code=code, borderline=other, weight=weight))
    planted.sort(key=lambda cell: (cell.y, cell.x))
    return Plan(edge=side * pitch, cells=tuple(planted))


def render_smear(plan: Plan, *, lab: Lab, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the scan of a plan as uint8 (edge, edge, 3)."""
    texture = Texture(rng, grains_px=cells.GRAINS)
    stains = np.zeros((cells.STAINS, plan.edge, plan.edge), dtype=np.float32)
    _lay_red_cells(stains, plan, rng=rng)
    _strew_platelets(stains, texture=texture, rng=rng)
    for cell in plan.cells:
        drawing = _draw(cell, texture=texture, rng=rng)
        if drawing is not None:
            _stamp(stains, drawing, cell.x, cell.y)
    stains[cells.PINK] += 0.02
    focus = float(np.exp(rng.normal(0, 0.22)))
    return labs.develop(stains, lab=lab, um_per_px=UM_PER_PX, focus=focus, rng=rng)


def _maybe_borderline(code: str, rng: np.random.Generator) -> tuple[str, str | None, float]:
    """Now and then turn a cell into one between its kind and a neighbour; the truth is the heavier of the
    two.
    """
    others = [pair[1] if pair[0] == code else pair[0] for pair in BORDERLINE_PAIRS if code in pair]
    if not others or rng.uniform() >= _BORDERLINE_RATE:
        return code, None, 0.0
    return code, others[rng.integers(len(others))], float(rng.uniform(0.36, 0.5))


def _draw(cell: PlantedCell, *, texture: Texture, rng: np.random.Generator) -> Drawing | None:
    if cell.code == "red-cell":
        return None
    if cell.code == "platelets":
        count, spread = int(rng.integers(4, 13)), float(rng.uniform(1.8, 4.0))
        return cells.draw_platelets(count=count, um_per_px=UM_PER_PX, spread_um=spread, texture=texture, rng=rng)
    recipe = RECIPES[cell.code]
    if cell.borderline is not None:
        recipe = blend(recipe, RECIPES[cell.borderline], weight=cell.weight)
    return cells.draw_white_cell(vary(recipe, spread=SPREAD, rng=rng), um_per_px=UM_PER_PX, texture=texture, rng=rng)


def _lay_red_cells(stains: Plane, plan: Plan, *, rng: np.random.Generator) -> None:
    """Cover the slide with red cells on a jittered lattice, leaving room for the cells of interest.

    A few dozen are drawn and laid turned and mirrored: nobody tells, and it takes a tenth of the time.
    """
    bank = [_draw_red_cell(rng) for _ in range(36)]
    pitch = float(rng.uniform(7.6, 9.2)) / UM_PER_PX
    jitter = 0.26 * pitch
    columns, rows = int(plan.edge / pitch) + 1, int(plan.edge / (pitch * 0.87)) + 1
    column, row = np.meshgrid(np.arange(columns), np.arange(rows))
    x = ((column + 0.5 * (row % 2)) * pitch + rng.normal(0, jitter, column.shape)).ravel()
    y = (row * pitch * 0.87 + rng.normal(0, jitter, column.shape)).ravel()
    kept = _leave_room(x, y, plan) & (rng.uniform(size=x.size) < 0.86)
    for index in np.nonzero(kept)[0]:
        drawing = bank[rng.integers(len(bank))]
        _stamp(stains, _turn(drawing, int(rng.integers(8))), int(x[index]), int(y[index]))


def _leave_room(x: NDArray[np.float64], y: NDArray[np.float64], plan: Plan) -> NDArray[np.bool_]:
    """Red cells give way to white cells, touching or slightly under them."""
    kept = np.ones(x.shape, dtype=bool)
    for cell in plan.cells:
        if cell.code == "red-cell":
            continue
        recipe = RECIPES.get(cell.code)
        reach = (recipe.diameter_um / 2 + 2.9) if recipe is not None else 5.5
        kept &= np.hypot(x - cell.x, y - cell.y) > reach / UM_PER_PX
    return kept


def _draw_red_cell(rng: np.random.Generator) -> Drawing:
    """Mostly normal discs; some ovals, spherocytes and burr cells, as on any slide."""
    kind = rng.choice(4, p=[0.80, 0.10, 0.06, 0.04])
    stretch = float(rng.uniform(1.25, 1.6)) if kind == 1 else float(rng.uniform(1.0, 1.14))
    pallor = 0.12 if kind == 2 else float(rng.uniform(0.42, 0.8))
    diameter = float(rng.normal(6.2 if kind == 2 else 7.3, 0.4))
    return cells.draw_red_cell(
        um_per_px=UM_PER_PX,
        diameter_um=diameter,
        pallor=pallor,
        stretch=stretch,
        crenation=0.18 if kind == 3 else 0.0,
        rng=rng,
    )


def _strew_platelets(stains: Plane, *, texture: Texture, rng: np.random.Generator) -> None:
    """Single platelets between the red cells, about one for every twenty."""
    edge = stains.shape[1]
    for _ in range(int((edge * UM_PER_PX) ** 2 / 1500)):
        drawing = cells.draw_platelets(count=1, um_per_px=UM_PER_PX, spread_um=0.3, texture=texture, rng=rng)
        x, y = rng.integers(0, edge, size=2)
        _stamp(stains, drawing, int(x), int(y))


def _turn(drawing: Drawing, way: int) -> Drawing:
    """One of the eight turns and mirrorings of a square."""
    stains = np.rot90(drawing.stains, way % 4, axes=(1, 2))
    hides = np.rot90(drawing.hides, way % 4)
    if way >= 4:
        stains, hides = stains[:, :, ::-1], hides[:, ::-1]
    return Drawing(stains=stains, hides=hides)


def _stamp(stains: Plane, drawing: Drawing, x: int, y: int) -> None:
    """Lay a drawing with its middle at (x, y): it hides what lies beneath, then adds its own stain."""
    size, edge = drawing.hides.shape[0], stains.shape[1]
    left, top = x - size // 2, y - size // 2
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + size, edge), min(top + size, edge)
    if x1 <= x0 or y1 <= y0:
        return
    rows, columns = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
    under = stains[:, y0:y1, x0:x1]
    under *= 1 - drawing.hides[rows, columns]
    under += drawing.stains[:, rows, columns]
