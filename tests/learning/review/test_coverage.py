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
