import numpy as np
import pytest

from learning.consensus import dawid_skene
from learning.consensus.priors import TEXTBOOK, expect_accuracy
from learning.consensus.reliability import bound_cells, bound_diagonal
from tests.learning.consensus.crowds import draw_crowd


def test_intervals_hold_the_true_diagonal_about_as_often_as_they_say():
    inside, width = [], []
    for seed in range(12):
        crowd = draw_crowd(seed=seed, items=1500, annotators=5, classes=4, overlap=(4, 5), skill=0.85)
        priors = expect_accuracy(4, strength=2.0)
        fitted = dawid_skene.fit(crowd.answers, priors=priors)
        counts = dawid_skene.count_confusions(crowd.answers, fitted.posterior)
        bounds = bound_diagonal(counts, priors=priors)
        truth = np.diagonal(crowd.confusion, axis1=1, axis2=2)
        inside.append(((bounds.low <= truth) & (truth <= bounds.high)).mean())
        width.append((bounds.high - bounds.low).mean())
    assert 0.85 < np.mean(inside) <= 1.0
    assert np.mean(width) < 0.2


def test_the_mean_is_what_a_fit_reports_and_more_answers_narrow_the_interval():
    priors = expect_accuracy(3)
    few = bound_diagonal(np.diag([8.0, 4.0, 0.0])[None], priors=priors)
    many = bound_diagonal(np.diag([80.0, 40.0, 0.0])[None], priors=priors)
    assert few.mean[0, 2] == pytest.approx(0.8)
    assert (few.low < few.mean).all() and (few.mean < few.high).all()
    assert (many.high - many.low)[0, 0] < (few.high - few.low)[0, 0]
    wider = bound_diagonal(np.diag([8.0, 4.0, 0.0])[None], priors=priors, level=0.99)
    assert (wider.low < few.low).all()


def test_every_cell_has_an_interval_that_holds_about_as_often_as_it_says():
    inside = []
    for seed in range(8):
        crowd = draw_crowd(seed=seed, items=1500, annotators=5, classes=4, overlap=(4, 5), skill=0.85)
        priors = expect_accuracy(4, strength=2.0)
        fitted = dawid_skene.fit(crowd.answers, priors=priors)
        bounds = bound_cells(dawid_skene.count_confusions(crowd.answers, fitted.posterior), priors=priors)
        inside.append(((bounds.low <= crowd.confusion) & (crowd.confusion <= bounds.high)).mean())
        np.testing.assert_allclose(bounds.mean, fitted.confusion, atol=2e-3)
    assert 0.85 < np.mean(inside) <= 1.0


def test_the_diagonal_of_the_cells_is_that_of_right_answers():
    priors, counts = expect_accuracy(3, parents=(-1, 0, -1)), np.random.default_rng(0).random((2, 3, 3)) * 20
    cells, right = bound_cells(counts, priors=priors), bound_diagonal(counts, priors=priors)
    for one, other in ((cells.mean, right.mean), (cells.low, right.low), (cells.high, right.high)):
        np.testing.assert_array_equal(np.diagonal(one, axis1=1, axis2=2), other)
    np.testing.assert_allclose(cells.mean.sum(axis=-1), 1)
    assert ((cells.low < cells.mean) & (cells.mean < cells.high)).all()


def test_intervals_refuse_priors_of_zero_and_impossible_levels():
    with pytest.raises(ValueError, match="Intervals need pseudo-counts above zero"):
        bound_diagonal(np.zeros((1, 3, 3)), priors=TEXTBOOK)
    with pytest.raises(ValueError, match="A level of 95"):
        bound_diagonal(np.zeros((1, 3, 3)), priors=expect_accuracy(3), level=95)


def test_one_class_is_always_right():
    bounds = bound_diagonal(np.full((2, 1, 1), 4.0), priors=expect_accuracy(1))
    assert bounds.low.tolist() == [[1.0], [1.0]]
