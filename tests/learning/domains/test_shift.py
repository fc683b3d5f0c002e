"""What two sides of cases say of each other."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from learning.domains.shift import Sides, _measure_auc, compare_levels, compare_shares, measure_psi, tell_apart
from tests.learning.domains.embeddings import draw_units


def face(new: int, known: int, *, seed: int = 0, shift: float = 0.0, case_effect: float = 1.0, regions: int = 30):
    units = draw_units(
        np.random.default_rng(seed),
        [("new", new, 0), ("known", known, known)],
        shifts={"new": shift},
        case_effect=case_effect,
        regions=regions,
    )
    sides = Sides(cases=units.cases, is_new=np.array([name == "new" for name in units.domains]))
    return units, sides


def compare(*args, **changes):
    units, sides = face(*args, **changes)
    found = tell_apart(units.features, units=units.unit_of, sides=sides, seed=1)
    assert found is not None
    return found


def test_a_shift_is_told_and_differences_between_cases_are_not() -> None:
    moved, still = compare(10, 10, shift=4.0), compare(10, 10)
    assert moved.value > 0.8 and moved.p <= 0.01 and moved.is_unusual
    assert not still.is_unusual and still.value < still.usual
    assert (moved.cases, moved.known_cases) == (10, 10)


def test_cases_that_differ_more_make_more_usual() -> None:
    usual = [compare(8, 8, case_effect=effect, seed=3).usual for effect in (0.0, 0.3, 2.0)]
    assert all(less < more for less, more in pairwise(usual))
    # Region by region, a sixth of this would be a sure difference.
    assert usual[-1] > 0.65


def test_the_same_arguments_give_the_same_numbers() -> None:
    assert compare(7, 9, shift=1.0) == compare(7, 9, shift=1.0)


def test_too_few_cases_tell_nothing() -> None:
    for new, known in ((5, 20), (20, 5)):
        units, sides = face(new, known, shift=50.0)
        assert tell_apart(units.features, units=units.unit_of, sides=sides, seed=0) is None
        assert compare_shares(units.shares, sides=sides, seed=0) is None
        assert compare_levels(units.levels, sides=sides, seed=0) is None


def test_a_constant_column_and_equal_rows_harm_nothing() -> None:
    units, sides = face(6, 6)
    rows = np.tile(np.array([1.0, 2.0]), (len(units.features), 1))
    found = tell_apart(rows, units=units.unit_of, sides=sides, seed=0)
    assert found is not None and found.value == pytest.approx(0.5) and not found.is_unusual


def test_of_a_large_side_only_a_sample_is_used_and_cases_weigh_the_same() -> None:
    """One case of 20,000 regions on the known side, which lie where the new side lies, moves little."""
    units, sides = face(8, 8, shift=4.0, case_effect=0.2)
    many = np.repeat(units.features[units.unit_of == 0][:1], 20_000, axis=0)
    found = tell_apart(
        np.concatenate([units.features, many]),
        units=np.concatenate([units.unit_of, np.full(20_000, 15)]),
        sides=sides,
        seed=0,
    )
    assert found is not None and found.value > 0.85


def test_slides_scanned_twice_are_compared_case_by_case() -> None:
    """The scanner's shift is small against the patients' differences, but each patient is on both sides."""
    rng = np.random.default_rng(0)
    effect = 2.0 * rng.normal(size=(10, 6))
    cases = np.tile(np.arange(10), 2)
    is_new = np.repeat([True, False], 10)
    unit_of = np.repeat(np.arange(20), 25)
    rows = effect[cases[unit_of]] + rng.normal(size=(500, 6))
    moved = rows + np.where(is_new[unit_of], 1.5, 0.0)[:, None] * np.eye(6)[0]
    paired = Sides(cases=cases, is_new=is_new)
    alone = Sides(cases=np.arange(20), is_new=is_new)
    found = tell_apart(moved, units=unit_of, sides=paired, seed=0)
    blurred = tell_apart(moved, units=unit_of, sides=alone, seed=0)
    assert found is not None and blurred is not None
    assert found.is_unusual and not blurred.is_unusual
    for labels in paired.redraw(50, rng):
        assert (labels[:10] ^ labels[10:]).all()


def test_a_case_can_not_be_twice_on_one_side() -> None:
    with pytest.raises(ValueError, match="two units on one side"):
        Sides(cases=np.array([0, 0, 1]), is_new=np.array([True, True, False]))
    units, sides = face(6, 6)
    with pytest.raises(ValueError, match="rows of features, but units"):
        tell_apart(units.features[1:], units=units.unit_of, sides=sides, seed=0)


def test_the_auc_is_that_of_scikit_learn_with_weights_and_ties() -> None:
    rng = np.random.default_rng(0)
    answers, weight, positive = rng.integers(0, 12, 300) / 3, rng.random(300) + 0.1, rng.random(300) < 0.4
    expected = roc_auc_score(positive, answers, sample_weight=weight)
    assert _measure_auc(answers, weight, positive) == pytest.approx(expected)


def test_ridge_least_squares_tells_apart_as_well_as_a_logistic_classifier() -> None:
    units, sides = face(12, 12, shift=3.0, seed=5)
    found = tell_apart(units.features, units=units.unit_of, sides=sides, seed=0)
    answers = np.empty(len(units.features))
    fold = (np.arange(24) % 12 % 5)[units.unit_of]
    label = sides.is_new[units.unit_of]
    for held in range(5):
        fit = LogisticRegression(C=1.0, max_iter=500).fit(units.features[fold != held], label[fold != held])
        answers[fold == held] = fit.decision_function(units.features[fold == held])
    logistic = np.mean([roc_auc_score(label[fold == held], answers[fold == held]) for held in range(5)])
    assert found is not None and found.value > logistic - 0.05


def test_a_shift_of_classes_has_its_size_and_a_range() -> None:
    rng = np.random.default_rng(0)
    is_new = np.arange(40) < 20
    sides = Sides(cases=np.arange(40), is_new=is_new)
    same = rng.dirichlet([20.0, 20.0, 20.0], size=40)
    moved = np.where(is_new[:, None], same * 0.5 + np.array([0.5, 0.0, 0.0]), same)
    quiet, told = (compare_shares(shares, sides=sides, seed=0) for shares in (same, moved))
    assert quiet is not None and told is not None
    assert not quiet.is_unusual and told.is_unusual
    assert told.value == pytest.approx(1 / 3, abs=0.05)
    assert told.low < told.value < told.high < 0.5
    assert measure_psi(same, sides=sides, count=2000) < 0.05 < 0.3 < measure_psi(moved, sides=sides, count=2000)


def test_the_stability_index_of_a_class_that_is_gone_is_finite() -> None:
    shares = np.array([[1.0, 0.0]] * 6 + [[0.0, 1.0]] * 6)
    sides = Sides(cases=np.arange(12), is_new=np.arange(12) < 6)
    found = measure_psi(shares, sides=sides, count=100)
    # Half a region in 100 of each class: (0.995 - 0.005) ln(0.995 / 0.005), but for the counts' own share, twice.
    assert found == pytest.approx(2 * 0.9901 * np.log(1.005 / 0.005), rel=1e-3)


def test_a_level_may_lie_above_or_below() -> None:
    sides = Sides(cases=np.arange(30), is_new=np.arange(30) < 12)
    base = np.random.default_rng(0).gamma(4.0, 0.05, size=30)
    for change in (0.2, -0.2):
        found = compare_levels(base + change * sides.is_new, sides=sides, seed=0)
        assert found is not None and found.is_unusual
        assert found.low < found.value < found.high and found.value == pytest.approx(change, abs=0.1)
