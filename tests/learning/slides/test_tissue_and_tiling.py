"""Tissue on bright and dark ground, and the squares cut from it."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from learning.slides.reader import open_slide
from learning.slides.tiling import edge_for, tile, tiling_digest
from learning.slides.tissue import Tissue, find_tissue


def _tissue(mask: np.ndarray, downsample: float = 1.0) -> Tissue:
    return Tissue(mask=mask, downsample=downsample, share=float(mask.mean()), background="bright")


def test_tissue_of_the_bright_slide_is_the_strip_and_not_the_glass(tissue_slide: Path) -> None:
    with open_slide(tissue_slide) as slide:
        tissue = find_tissue(slide)
    assert tissue.background == "bright" and 0.33 < tissue.share < 0.45
    assert tissue.mask.shape == (1024, 766) and tissue.downsample == pytest.approx(2967 / 1024)
    assert tissue.mask[600:900, 250:450].mean() > 0.95
    assert tissue.mask[600:1000, 10:150].mean() < 0.01


def test_tissue_of_the_fluorescence_slide_is_stroma_too_and_not_the_black_ground(
    fluorescence_slide: Path,
) -> None:
    with open_slide(fluorescence_slide) as slide:
        tissue = find_tissue(slide)
    assert tissue.background == "dark" and 0.72 < tissue.share < 0.87
    assert tissue.mask[700:880, 200:800].mean() > 0.95
    assert tissue.mask[200:350, 250:330].mean() > 0.9, "faint stroma between the nuclei"
    assert tissue.mask[950:, :400].mean() < 0.02
    assert tissue.mask[:300, :30].mean() < 0.02


def test_smear_keeps_its_cells(small_study: Path) -> None:
    import csv

    with (small_study / "regions.csv").open() as file:
        regions = list(csv.DictReader(file))
    with (small_study / "truth.csv").open() as file:
        white = {row["region"] for row in csv.DictReader(file) if row["label"] not in ("red-cell", "platelets")}
    for path in {row["slide"] for row in regions}:
        with open_slide(small_study / path) as slide:
            tissue = find_tissue(slide)
        assert tissue.background == "bright"
        for row in (row for row in regions if row["slide"] == path and row["id"] in white):
            x = int((int(row["x"]) + int(row["width"]) / 2) / tissue.downsample)
            y = int((int(row["y"]) + int(row["height"]) / 2) / tissue.downsample)
            assert tissue.mask[y - 4 : y + 5, x - 4 : x + 5].mean() > 0.5, row


@pytest.mark.parametrize("colour", [(245, 245, 245), (120, 140, 150), (0, 0, 0), (3, 4, 8)])
def test_empty_slide_has_no_tissue(tmp_path: Path, colour: tuple[int, int, int]) -> None:
    noise = np.random.default_rng(0).normal(0, 1.5, (300, 400, 3))
    Image.fromarray(np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)).save(tmp_path / "empty.png")
    with open_slide(tmp_path / "empty.png") as slide:
        tissue = find_tissue(slide)
    assert tissue.share < 0.01
    assert tissue.background == ("dark" if sum(colour) < 60 else "bright")


def test_field_full_of_pink_tissue_is_all_tissue(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 4, (300, 400, 3))
    Image.fromarray(np.clip(np.array((205, 150, 195)) + noise, 0, 255).astype(np.uint8)).save(tmp_path / "t.png")
    with open_slide(tmp_path / "t.png") as slide:
        assert find_tissue(slide).share > 0.95


def test_full_mask_gives_every_square_of_the_grid_without_overlap() -> None:
    regions = tile(dimensions=(1000, 700), tissue=_tissue(np.ones((70, 100), bool)), edge_px=128)
    assert regions.dtype == np.int32 and regions.shape == (7 * 5, 4)
    assert regions[0].tolist() == [52, 30, 128, 128]
    covered = np.zeros((700, 1000), dtype=int)
    for x, y, width, height in regions:
        covered[y : y + height, x : x + width] += 1
    assert covered.max() == 1 and covered.sum() == 35 * 128 * 128


def test_squares_follow_a_known_mask() -> None:
    mask = np.zeros((100, 100), dtype=bool)
    mask[:50, :50] = True
    mask[50:60, 50:75] = True
    tissue = _tissue(mask, downsample=10.0)
    quarter = tile(dimensions=(1000, 1000), tissue=tissue, edge_px=250, min_tissue=0.5)
    assert quarter[:, :2].tolist() == [[0, 0], [250, 0], [0, 250], [250, 250]]
    more = tile(dimensions=(1000, 1000), tissue=tissue, edge_px=250, min_tissue=0.4)
    assert more[-1].tolist() == [500, 500, 250, 250]
    assert len(tile(dimensions=(1000, 1000), tissue=tissue, edge_px=250, min_tissue=0)) == 16


def test_slide_smaller_than_a_square_is_one_region() -> None:
    regions = tile(dimensions=(300, 90), tissue=_tissue(np.ones((9, 30), bool)), edge_px=100)
    assert regions.tolist() == [[0, 0, 100, 90], [100, 0, 100, 90], [200, 0, 100, 90]]


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 3000),
    height=st.integers(1, 3000),
    edge=st.integers(1, 900).filter(lambda value: value >= 60),
    seed=st.integers(0, 99),
)
def test_squares_lie_inside_and_reach_their_share(width: int, height: int, edge: int, seed: int) -> None:
    mask = np.kron(np.random.default_rng(seed).random((5, 7)) < 0.5, np.ones((8, 8))).astype(bool)
    regions = tile(dimensions=(width, height), tissue=_tissue(mask), edge_px=edge, min_tissue=0.25)
    assert np.all(regions[:, :2] >= 0)
    assert np.all(regions[:, 0] + regions[:, 2] <= width) and np.all(regions[:, 1] + regions[:, 3] <= height)
    everything = tile(dimensions=(width, height), tissue=_tissue(mask), edge_px=edge, min_tissue=0)
    assert {tuple(row) for row in regions} <= {tuple(row) for row in everything}


def test_progress_counts_rows_to_the_end() -> None:
    seen: list[tuple[int, int]] = []
    tile(
        dimensions=(1000, 700),
        tissue=_tissue(np.ones((7, 10), bool)),
        edge_px=100,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(row, 7) for row in range(1, 8)]


def test_edge_follows_the_pixel_size_and_is_never_guessed() -> None:
    assert edge_for(region_px=256, requested_um_per_px=0.5, slide_pixel_size=(0.25, 0.25)) == 512
    assert edge_for(region_px=256, requested_um_per_px=0.5, slide_pixel_size=(0.499, 0.499)) == 257
    assert edge_for(region_px=256, requested_um_per_px=0.5, slide_pixel_size=None) == 256
    assert edge_for(region_px=256, requested_um_per_px=None, slide_pixel_size=(0.25, 0.25)) == 256
    with pytest.raises(ValueError, match="above 0"):
        edge_for(region_px=256, requested_um_per_px=0.0, slide_pixel_size=(0.25, 0.25))


def test_digest_names_rectangles_in_their_order() -> None:
    regions = tile(dimensions=(400, 400), tissue=_tissue(np.ones((4, 4), bool)), edge_px=100)
    assert tiling_digest(regions) == tiling_digest(regions.copy())
    assert tiling_digest(regions) != tiling_digest(regions[::-1])
    assert tiling_digest(regions) != tiling_digest(regions[:-1])
    assert len(tiling_digest(regions)) == 64
