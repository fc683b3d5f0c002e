import numpy as np
import pytest

from learning.features.rows import ChosenRows, FeatureRows
from learning.review import kernel
from learning.review.label_errors import find_label_errors

CLASSES, CASES = 4, 12


def clouds(seed, *, count=600, flipped=0.1):
    """Features of overlapping classes, labels of which a share is wrong, cases, and which are wrong."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, CLASSES, count)
    centres = generator.normal(size=(CLASSES, 20))
    features = (centres[truth] * 1.5 + generator.normal(size=(count, 20))).astype(np.float16)
    wrong = generator.random(count) < flipped
    labels = np.where(wrong, (truth + generator.integers(1, CLASSES, count)) % CLASSES, truth)
    return FeatureRows([features]), labels, generator.integers(0, CASES, count), wrong


def find(rows, labels, cases):
    return find_label_errors(rows, labels=labels, groups=cases, classes=CLASSES, seed=0)


@pytest.mark.parametrize("seed", range(3))
def test_flipped_labels_are_found_and_the_rate_of_noise_with_them(seed):
    rows, labels, cases, wrong = clouds(seed)
    found = find(rows, labels, cases)
    named = found.suspicion > 0.1
    assert (named & wrong).sum() >= 0.9 * wrong.sum()
    assert (named & wrong).sum() >= 0.85 * named.sum()
    assert 0.06 < found.noise < 0.14
    assert np.allclose(found.proba.sum(axis=1), 1)
    assert (found.likely != labels).all()


def test_what_is_found_repeats_bit_for_bit_and_does_not_need_the_kept_blocks(monkeypatch):
    rows, labels, cases, _ = clouds(0)
    first = find(rows, labels, cases)
    monkeypatch.setattr(kernel, "_KEPT_BYTES", 0)
    again = find(rows, labels, cases)
    assert np.array_equal(first.suspicion, again.suspicion) and np.array_equal(first.proba, again.proba)


def test_what_a_case_is_labelled_says_nothing_about_its_own_regions():
    rows, labels, cases, _ = clouds(1)
    fold_mates = cases == cases[0]
    ridge = kernel.OutOfFoldRidge(rows, fold=np.where(fold_mates, 0, 1 + cases % 4), seed=0)
    given = np.eye(CLASSES)[labels]
    spoiled = given.copy()
    spoiled[fold_mates] = np.eye(CLASSES)[0]
    assert np.array_equal(ridge.predict(given)[fold_mates], ridge.predict(spoiled)[fold_mates])
    assert not np.allclose(ridge.predict(given)[~fold_mates], ridge.predict(spoiled)[~fold_mates])


def test_one_class_or_one_region_says_nothing():
    rows, labels, cases, _ = clouds(2, count=30)
    with pytest.raises(ValueError, match="one class"):
        find(rows, np.zeros_like(labels), cases)


def test_chosen_rows_are_those_of_their_source():
    rows, *_ = clouds(0, count=40)
    chosen = ChosenRows(rows, np.array([7, 3, 39]))
    assert len(chosen) == 3 and chosen.dimensions == 20
    assert np.array_equal(chosen.take(np.array([2, 0])), rows.take(np.array([39, 7])))
