import numpy as np
import pytest

from learning.forecast import estimate_answers, estimate_remaining
from learning.shares import estimate_share


def test_a_steady_rate_leaves_no_doubt():
    found = estimate_remaining(counts=np.full((10, 1), 5), remaining=[100], seed=1)
    assert (found.low, found.likely, found.high) == (20.0, 20.0, 20.0)


def test_an_uneven_past_gives_a_range_around_the_mean_rate():
    found = estimate_remaining(counts=np.array([[0], [0], [20], [0], [5], [5]]), remaining=[100], seed=1)
    assert found.low < found.likely < found.high
    assert 15 <= found.likely <= 25


def test_the_slowest_part_decides():
    counts = np.tile([10, 1], (9, 1))
    assert estimate_remaining(counts=counts, remaining=[10, 10], seed=1).likely == 10.0
    assert estimate_remaining(counts=counts, remaining=[10, 0], seed=1).likely == 1.0


def test_what_never_happens_is_never_done():
    found = estimate_remaining(counts=np.zeros((5, 1)), remaining=[3], seed=1)
    assert found.low == np.inf
    assert estimate_remaining(counts=np.zeros((5, 1)), remaining=[0], seed=1).high == 0.0


def test_the_same_seed_gives_the_same_range_and_a_wrong_shape_is_refused():
    counts = np.arange(28).reshape(28, 1)
    one, two = (estimate_remaining(counts=counts, remaining=[400], seed=3) for _ in range(2))
    assert one == two
    with pytest.raises(ValueError, match="do not fit"):
        estimate_remaining(counts=counts, remaining=[1, 2], seed=3)


@pytest.mark.parametrize("days", [3, 5, 13, 20, 28])
def test_the_range_covers_the_true_time_about_as_often_as_it_says(days):
    """Poisson work at 8 a day: the time that the true rate takes lies within in 8 of 10 pasts, also in short ones."""
    rng = np.random.default_rng(0)
    within = 0
    for seed in range(200):
        found = estimate_remaining(counts=rng.poisson(8, (days, 1)), remaining=[800], seed=seed, resamples=300)
        within += found.low <= 100 <= found.high
    assert 0.7 <= within / 200 <= 0.9


def test_a_share_has_the_interval_of_wilson():
    """Newcombe (1998), table I: 81 of 263 is 0.3080, from 0.2553 to 0.3662."""
    share = estimate_share(yes=81, count=263)
    assert share is not None
    assert (share.value, share.low, share.high) == pytest.approx((0.3080, 0.2553, 0.3662), abs=5e-5)


def test_a_share_of_nothing_is_none_and_all_is_never_sure():
    assert estimate_share(yes=0, count=0) is None
    whole = estimate_share(yes=5, count=5)
    assert whole is not None and whole.high == 1.0 and whole.low < 0.6
    with pytest.raises(ValueError, match="no share"):
        estimate_share(yes=3, count=2)


def test_the_answers_of_what_is_left_lie_in_the_range_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    within = 0
    for _ in range(300):
        settled, left = (rng.choice([2, 3, 5], p=[0.7, 0.2, 0.1], size=size) for size in (40, 200))
        found = estimate_answers(remaining=200, mean=settled.mean(), deviation=settled.std(), count=40)
        within += found.low <= left.sum() <= found.high
    assert 0.7 <= within / 300 <= 0.9
    with pytest.raises(ValueError, match="there are none"):
        estimate_answers(remaining=1, mean=0.0, deviation=0.0, count=0)
