"""Holes cut into the tiling of real and drawn slides: how many of the squares that nobody was asked about are told.

Decides what is cut away and how the regions lie; refuses to know rows. The rule names a slide from one square on.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning.review.coverage import count_uncovered
from learning.slides.reader import open_slide
from learning.slides.tiling import tile
from learning.slides.tissue import Tissue, find_tissue
from workers.simulation import sample as samples

EDGE, CUTS, SEEDS = 256, (0, 0, 0, 1, 2, 4), 20
GRIDS = {"the study's own grid": False, "a grid of another tool": True}
_MOST_TISSUE = 0.75


def measure_uncovered(*, seeds: int = SEEDS) -> dict[str, Any]:
    """By grid: precision and recall of slides with a hole, and squares told for each square cut away."""
    with tempfile.TemporaryDirectory() as folder:
        slides = [_look(path) for path in _find_slides(Path(folder))]
    return {
        name: {
            "slides": len(slides),
            **_judge([_cut(*slide, seed, is_shifted) for slide in slides for seed in range(seeds)]),
        }
        for name, is_shifted in GRIDS.items()
    }


def _find_slides(folder: Path) -> list[Path]:
    real = Path(os.environ.get("CONCORD_SHARED", "../shared")) / "data" / "slides"
    drawn = samples.find_or_draw(folder, seed=3, cases=4, cells_per_slide=20)[0]
    return sorted([*real.glob("*.svs"), *real.glob("*.ndpi"), *(drawn / "slides").iterdir()])


def _look(path: Path) -> tuple[Tissue, tuple[int, int]]:
    with open_slide(path) as reader:
        return find_tissue(reader), reader.dimensions


def _cut(tissue: Tissue, dimensions: tuple[int, int], seed: int, is_shifted: bool) -> tuple[int, int]:
    """How many squares of mostly tissue were cut away, and how many are told."""
    generator = np.random.default_rng(seed)
    regions = tile(dimensions=dimensions, tissue=tissue, edge_px=EDGE, min_tissue=0.0)
    if is_shifted:
        regions = _extend(regions) - np.array([*generator.integers(1, EDGE, 2), 0, 0], dtype=np.int32)
    share = np.array([_share(tissue, dimensions, box) for box in regions.tolist()])
    covered, full = share > 0, np.flatnonzero(share >= _MOST_TISSUE)
    holes = generator.permutation(full)[: generator.choice(CUTS)]
    covered[holes] = False
    return len(holes), count_uncovered(tissue, dimensions=dimensions, regions=regions[covered])


def _extend(regions: NDArray[np.int32]) -> NDArray[np.int32]:
    """The grid with a row and a column more, so that it still covers the slide when it is moved."""
    wide, high = regions[0, 2:].tolist()
    more = np.concatenate([regions, regions + [wide, 0, 0, 0], regions + [0, high, 0, 0], regions + [wide, high, 0, 0]])
    return np.unique(more, axis=0).astype(np.int32)


def _share(tissue: Tissue, dimensions: tuple[int, int], box: list[int]) -> float:
    height, width = tissue.mask.shape[:2]
    across, down = width / dimensions[0], height / dimensions[1]
    left, top = max(box[0], 0), max(box[1], 0)
    right, bottom = box[0] + box[2], box[1] + box[3]
    part: NDArray[np.bool_] = tissue.mask[
        int(top * down) : int(bottom * down), int(left * across) : int(right * across)
    ]
    # A square that hangs over the slide's edge is not a hole that anybody would see.
    is_whole = right <= dimensions[0] and bottom <= dimensions[1] and min(box[:2]) >= 0
    return float(part.mean()) if part.size and is_whole else float(part.any()) / 2


def _judge(rows: list[tuple[int, int]]) -> dict[str, Any]:
    cut, told = np.array(rows).T
    hits = int(((cut > 0) & (told > 0)).sum())
    return {
        "tries": len(rows),
        "with_a_hole": int((cut > 0).sum()),
        "precision": round(hits / max(int((told > 0).sum()), 1), 3),
        "recall": round(hits / max(int((cut > 0).sum()), 1), 3),
        "squares_cut": int(cut.sum()),
        "squares_told": int(told.sum()),
    }
