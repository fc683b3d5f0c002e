import numpy as np

from learning.review.coverage import count_uncovered
from learning.slides.tissue import Tissue

TISSUE = Tissue(mask=np.ones((100, 100), dtype=bool), downsample=10.0, share=1.0, background="bright")


def grid(columns):
    return np.array([(x * 100, y * 100, 100, 100) for y in range(10) for x in range(columns)], dtype=np.int32)


def test_squares_without_a_region_are_counted_where_a_slide_was_to_be_covered():
    assert count_uncovered(TISSUE, dimensions=(1000, 1000), regions=grid(10)) == 0
    assert count_uncovered(TISSUE, dimensions=(1000, 1000), regions=grid(8)) == 20


def test_regions_chosen_one_by_one_leave_nothing_uncovered():
    assert count_uncovered(TISSUE, dimensions=(1000, 1000), regions=grid(3)) == 0
    assert count_uncovered(TISSUE, dimensions=(1000, 1000), regions=grid(0).reshape(-1, 4)) == 0


def test_a_hole_is_found_whatever_the_grid_of_the_regions():
    regions = np.concatenate([grid(11), grid(11) + [0, 1000, 0, 0]])
    moved = np.unique(regions - [37, 61, 0, 0], axis=0).astype(np.int32)
    assert count_uncovered(TISSUE, dimensions=(1000, 1000), regions=moved) == 0
    hole = (moved[:, 0] == 263) & (moved[:, 1] == 439)
    assert count_uncovered(TISSUE, dimensions=(1000, 1000), regions=moved[~hole]) == 1


def test_a_gap_that_holds_no_square_is_none():
    half = grid(10) + [60, 0, 0, 0]
    assert count_uncovered(TISSUE, dimensions=(1000, 1000), regions=half) == 0


def test_a_wide_hole_is_as_many_squares_as_lie_in_it_apart():
    left = grid(10)[grid(10)[:, 1] >= 250]
    assert count_uncovered(TISSUE, dimensions=(1000, 1000), regions=left) == 30
