import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as oracle

from learning import metrics, sampling


def draw(seed: int = 0, *, count: int = 300, classes: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, classes - 1, count)
    proba = generator.dirichlet(np.ones(classes), count)
    proba[np.arange(count), truth] += 0.4
    return truth, proba / proba.sum(axis=1, keepdims=True), generator.integers(0, 30, count)


def test_measures_agree_with_scikit_learn() -> None:
    truth, proba, _ = draw()
    predicted = proba.argmax(axis=1)
    confusion = metrics.count_confusion(truth=truth, predicted=predicted, classes=5)
    present = list(range(4))
    average: dict = {"labels": present, "average": None, "zero_division": 0}
    assert metrics.measure_accuracy(confusion) == pytest.approx(oracle.accuracy_score(truth, predicted))
    np.testing.assert_allclose(metrics.measure_recall(confusion)[:4], oracle.recall_score(truth, predicted, **average))
    np.testing.assert_allclose(
        metrics.measure_precision(confusion)[:4], oracle.precision_score(truth, predicted, **average)
    )
    np.testing.assert_allclose(metrics.measure_f1(confusion)[:4], oracle.f1_score(truth, predicted, **average))
    assert np.isnan(metrics.measure_f1(confusion)[4])
    expected = oracle.f1_score(truth, predicted, labels=present, average="macro")
    assert metrics.measure_macro_f1(confusion) == pytest.approx(expected)
    assert metrics.measure_nll(truth=truth, proba=proba) == pytest.approx(
        oracle.log_loss(truth, proba, labels=range(5))
    )


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    proba = np.tile([0.8, 0.2], (10, 1))
    truth = np.array([0] * 5 + [1] * 5)
    assert metrics.measure_ece(truth=truth, proba=proba) == pytest.approx(0.3)
    truth = np.array([0] * 8 + [1] * 2)
    assert metrics.measure_ece(truth=truth, proba=proba) == pytest.approx(0.0)


def test_interval_of_a_mean_is_that_of_the_cases_means() -> None:
    """Ten items in each case: the jackknife of their accuracy is the textbook's interval over the cases."""
    cases = np.repeat(np.arange(12), 10)
    right = np.random.default_rng(3).random(120) < 0.8
    proba = np.tile([0.9, 0.1], (120, 1))
    found = metrics.estimate_interval(
        truth=(~right).astype(int), proba=proba, cases=cases, measure=metrics.measure_accuracy
    )
    means = right.reshape(12, 10).mean(axis=1)
    low, high = stats.t.interval(0.95, 11, loc=means.mean(), scale=stats.sem(means))
    assert (found.value, found.low, found.high) == pytest.approx((right.mean(), low, high))


def test_interval_of_one_case_is_everything_and_none_leaves_the_range() -> None:
    truth, proba, _ = draw()
    alone = metrics.estimate_interval(truth=truth, proba=proba, cases=np.zeros(300, dtype=int))
    assert (alone.low, alone.high) == (0.0, 1.0)
    worst = np.repeat([0, 1], 150)
    split = metrics.estimate_interval(
        truth=worst, proba=np.tile([0.9, 0.1], (300, 1)), cases=worst, measure=metrics.measure_accuracy
    )
    assert (split.value, split.low, split.high) == (0.5, 0.0, 1.0)


def test_rarely_drawn_items_weigh_more() -> None:
    """Every item of class 0 and one in ten of class 1 were drawn; the model knows class 0 alone."""
    truth, cases = np.repeat([0, 1], [50, 50]), np.arange(100) % 10
    proba = np.tile([0.9, 0.1], (100, 1))
    inputs: dict = {"truth": truth, "proba": proba, "cases": cases, "measure": metrics.measure_accuracy}
    assert metrics.estimate_interval(**inputs).value == 0.5
    weight = sampling.weigh_inverse(np.where(truth == 0, 1.0, 0.1))
    assert metrics.estimate_interval(**inputs, weight=weight).value == pytest.approx(50 / 550)


def test_interval_widens_when_items_of_a_case_agree() -> None:
    generator = np.random.default_rng(0)
    cases = np.repeat(np.arange(20), 20)
    proba = np.tile([0.9, 0.1], (400, 1))
    alone = generator.random(400) < 0.3
    together = (generator.random(20) < 0.3)[cases]
    widths = []
    for truth in (alone, together):
        found = metrics.estimate_interval(
            truth=truth.astype(int), proba=proba, cases=cases, measure=metrics.measure_accuracy
        )
        widths.append(found.high - found.low)
    assert widths[1] > 2 * widths[0]


def test_paired_difference_is_surer_than_two_intervals() -> None:
    truth, proba, cases = draw(count=600)
    worse = proba.copy()
    worse[:60] = np.roll(worse[:60], 1, axis=1)
    found = metrics.estimate_difference(truth=truth, baseline=proba, candidate=worse, cases=cases)
    alone = metrics.estimate_interval(truth=truth, proba=proba, cases=cases)
    assert found.value < 0
    assert found.low < found.value < found.high
    assert found.high - found.low < alone.high - alone.low


def test_equal_models_differ_by_nothing() -> None:
    truth, proba, cases = draw()
    found = metrics.estimate_difference(truth=truth, baseline=proba, candidate=proba, cases=cases)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)
