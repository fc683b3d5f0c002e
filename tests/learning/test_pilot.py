import numpy as np
import pytest

from learning.pilot import Half, Judges, compare

CLASSES, WIDTH = 3, 6
CENTRES = np.random.default_rng(0).normal(0, 1.2, size=(CLASSES, WIDTH))


def draw(rng, count, *, shares=(0.8, 0.15, 0.05), cases=10, first=0):
    """Regions of three unequal classes around their centres."""
    labels = rng.choice(CLASSES, size=count, p=shares)
    features = (CENTRES[labels] + rng.normal(size=(count, WIDTH))).astype(np.float16)
    return features, labels, first + rng.integers(0, cases, size=count)


def make(seed, *, shares, answers=2, count=90):
    """A half drawn with these class shares, and a random one drawn like the pool."""
    rng = np.random.default_rng(seed)
    ranked = Half(*draw(rng, count, shares=shares), np.full(count, answers))
    random = Half(*draw(rng, count), np.full(count, 2))
    return ranked, random, Judges(*draw(rng, 300, cases=12, first=100))


def test_a_better_half_saves_answers_and_the_interval_says_so():
    """Half of the random labels are wrong: what a ranked half of the same size learns is better at any size."""
    ranked, random, judges = make(1, shares=(0.34, 0.33, 0.33))
    shuffled = np.where(np.arange(90) % 2, random.labels, np.random.default_rng(0).permutation(random.labels))
    spoiled = Half(random.features, shuffled, random.cases, random.answers)
    found = compare(ranked=ranked, random=spoiled, judges=judges, classes=CLASSES, seed=0)
    assert found.basis == "audit" and (found.items, found.cases, found.labels) == (300, 12, 90)
    assert found.difference[1] > 0 and 0 < found.saved[1] <= found.saved[0] <= found.saved[2] < 1
    assert len(found.curve) == 4 and found.curve[-1][:2] == [90, 180]
    other = compare(ranked=spoiled, random=ranked, judges=judges, classes=CLASSES, seed=0)
    assert other.difference[2] < 0 and other.saved[2] < 0


def test_two_random_halves_are_not_told_apart():
    held = [compare_random(seed) for seed in range(6)]
    assert sum(found.saved[1] <= 0 <= found.saved[2] for found in held) >= 5


def compare_random(seed):
    ranked, random, judges = make(seed, shares=(0.8, 0.15, 0.05))
    return compare(ranked=ranked, random=random, judges=judges, classes=CLASSES, seed=0)


def test_the_same_half_twice_saves_nothing_and_at_twice_the_answers_it_costs_as_many_again():
    _, random, judges = make(3, shares=(0.8, 0.15, 0.05))
    same = compare(ranked=random, random=random, judges=judges, classes=CLASSES, seed=0)
    assert same.saved[0] == same.difference[0] == 0 and same.saved[1] < 0 < same.saved[2]
    dear = Half(random.features, random.labels, random.cases, 2 * random.answers)
    assert compare(ranked=dear, random=random, judges=judges, classes=CLASSES, seed=0).saved[0] == -1


def test_without_audit_regions_the_random_half_judges_with_its_cases_held_out():
    """Labels that only a case could tell: a head that had seen the judging case would be right."""
    rng = np.random.default_rng(4)
    cases = np.repeat(np.arange(10), 9)
    labels = np.tile(rng.integers(0, 2, size=10)[:, None], (1, 9)).ravel()
    marks = np.eye(10)[cases].astype(np.float16)
    half = Half(marks, labels, cases, np.full(90, 2))
    found = compare(ranked=half, random=half, judges=None, classes=2, seed=0)
    assert found.basis == "out-of-fold" and found.items == 90 and found.cases == 10
    assert found.random[0] < 0.75


def test_the_same_input_gives_the_same_numbers():
    ranked, random, judges = make(5, shares=(0.34, 0.33, 0.33), count=30)
    first, again = (compare(ranked=ranked, random=random, judges=judges, classes=3, seed=1) for _ in range(2))
    assert first == again


@pytest.mark.parametrize("count", [0, 19])
def test_halves_that_are_too_small_say_nothing(count):
    ranked, random, judges = make(6, shares=(0.34, 0.33, 0.33))
    small = Half(ranked.features[:count], ranked.labels[:count], ranked.cases[:count], ranked.answers[:count])
    assert compare(ranked=small, random=random, judges=judges, classes=CLASSES, seed=0) is None
