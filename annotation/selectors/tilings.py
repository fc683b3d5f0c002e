"""How a slide would be cut: the same tissue, the same grid as the worker's, before there is a region.

Decides which slides are counted and which are reckoned; refuses to write a region.
"""

import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from annotation.errors import Missing
from annotation.models import StagedSlide, Study
from learning.slides.tiling import edge_for, tile
from learning.slides.tissue import Tissue

COUNTED = 16
"""Slides whose regions are counted; those of the others are reckoned from their tissue."""


def find(*, study: Study, public_id: str) -> StagedSlide:
    """A staged slide of the study; Missing where there is none."""
    row = StagedSlide.objects.filter(study=study, public_id=public_id).first()
    if row is None:
        raise Missing("There is no such slide among those that are being set up.")
    return row


def edge(study: Study, row: StagedSlide, *, region_px: int, um_per_px: float | None) -> int:
    """The edge of a region on this slide, in its level-0 pixels."""
    sizes = (row.um_per_px_x, row.um_per_px_y)
    known = None if sizes[0] is None or sizes[1] is None else (sizes[0], sizes[1])
    return edge_for(region_px=region_px, requested_um_per_px=um_per_px, slide_pixel_size=known)


def cut(row: StagedSlide, *, edge_px: int, min_tissue: float) -> NDArray[np.int32]:
    """(N, 4) x, y, width, height of the regions that the slide would give."""
    tissue = Tissue(
        mask=unpack_mask(bytes(row.tissue), width=row.tissue_width, height=row.tissue_height),
        downsample=max(row.width, row.height) / max(row.tissue_width, row.tissue_height),
        share=row.tissue_share,
        background="bright",
    )
    return tile(dimensions=(row.width, row.height), tissue=tissue, edge_px=edge_px, min_tissue=min_tissue)


def unpack_mask(packed: bytes, *, width: int, height: int) -> NDArray[np.bool_]:
    """The mask (height, width) that was packed."""
    bits = np.unpackbits(np.frombuffer(zlib.decompress(packed), dtype=np.uint8), count=width * height)
    return bits.reshape(height, width).astype(bool)


@lru_cache(maxsize=4096)
def _count(checksum: str, slide_id: int, edge_px: int, min_tissue: float) -> int:
    # The checksum is part of the name, so that a count outlives no slide.
    return len(cut(StagedSlide.objects.get(pk=slide_id), edge_px=edge_px, min_tissue=min_tissue))


def estimate(study: Study, rows: Sequence[StagedSlide]) -> tuple[list[int], int]:
    """About how many regions each of `rows` gives, and how many of them were counted rather than reckoned."""
    share = study.policy.tile_min_tissue
    edges = [edge(study, row, region_px=study.region_width, um_per_px=study.region_um_per_px) for row in rows]
    reckoned = [
        max(1.0, row.tissue_share * row.width * row.height / one**2) for row, one in zip(rows, edges, strict=True)
    ]
    step = max(1, -(-len(rows) // COUNTED))
    counted = {at: _count(rows[at].checksum, rows[at].pk, edges[at], share) for at in range(0, len(rows), step)}
    ratio = sum(counted.values()) / (sum(reckoned[at] for at in counted) or 1.0)
    return [counted.get(at, round(reckoned[at] * ratio)) for at in range(len(rows))], len(counted)
