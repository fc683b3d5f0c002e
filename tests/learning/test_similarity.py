import numpy as np

from learning import similarity


def test_rows_of_a_kind_end_up_side_by_side_whatever_order_they_came_in():
    rng = np.random.default_rng(0)
    kinds = np.repeat(np.arange(4), 12)
    centres = rng.normal(scale=8.0, size=(4, 6))
    features = centres[kinds] + rng.normal(size=(48, 6))
    shuffled = rng.permutation(48)
    ordered = kinds[shuffled][similarity.order(features[shuffled])]
    assert np.count_nonzero(np.diff(ordered)) == 3


def test_a_large_column_does_not_drown_the_others_and_a_constant_one_does_no_harm():
    rng = np.random.default_rng(1)
    kinds = np.tile([0, 1], 10)
    features = np.column_stack([kinds * 4.0 + rng.normal(size=20) * 0.1, rng.normal(size=20) * 0.1, np.ones(20)])
    by_kind = kinds[similarity.order(features * [1.0, 1.0, 1e6])]
    assert np.count_nonzero(np.diff(by_kind)) == 1


def test_order_is_a_permutation_also_of_very_few_or_equal_rows():
    for rows in (np.zeros((0, 3)), np.zeros((1, 3)), np.zeros((2, 3)), np.zeros((7, 3))):
        assert sorted(similarity.order(rows)) == list(range(len(rows)))
