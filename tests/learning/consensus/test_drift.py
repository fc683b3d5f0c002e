"""A fall in somebody's checks is found, dated, forgiven when it is over, and not seen where there is none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.consensus import drift
from learning.consensus.dawid_skene import posterior_of
from learning.consensus.priors import default_confusion

ONE_KIND = np.zeros(2000, dtype=np.int64)


def throw(seed: int, *spells: tuple[float, int]) -> np.ndarray:
    """Checks that are right at these rates for so long."""
    rng = np.random.default_rng(seed)
    return np.concatenate([(rng.random(count) < rate).astype(float) for rate, count in spells])


def share_of(spells: tuple[tuple[float, int], ...], *, people: int = 200) -> float:
    scores = [throw(seed, *spells) for seed in range(people)]
    return float(np.mean([drift.follow(one, ONE_KIND[: len(one)], window=50).is_drifting for one in scores]))


def test_a_steady_person_is_hardly_ever_said_to_drift_and_a_fallen_one_mostly_is():
    assert share_of(((0.9, 400),)) <= 0.03
    assert share_of(((0.95, 300), (0.75, 100))) >= 0.9
    assert share_of(((0.9, 300), (0.7, 100))) >= 0.8


def test_the_turn_is_dated_and_what_came_since_is_not_the_measure():
    scores = throw(4, (0.95, 300), (0.6, 400))
    course = drift.follow(scores, ONE_KIND[:700], window=50)
    assert course.since is not None and abs(course.since - 300) <= 15
    # Eight windows of being bad later, "before" still tells of the good time.
    assert course.before == pytest.approx(scores[: course.since].mean()) and course.before > 0.9
    assert course.now == pytest.approx(scores[-50:].mean())


def test_it_is_over_when_the_checks_are_good_again_and_can_come_back():
    scores = throw(4, (0.95, 300), (0.6, 100), (0.95, 150))
    assert drift.follow(scores[:400], ONE_KIND[:400], window=50).is_drifting
    assert not drift.follow(scores, ONE_KIND[: len(scores)], window=50).is_drifting
    again = np.concatenate([scores, throw(5, (0.6, 100))])
    course = drift.follow(again, ONE_KIND[: len(again)], window=50)
    assert course.since is not None and course.since > 500


def test_more_hard_checks_are_no_fall():
    """Gold is right in 95 of 100 and repeats in 75, whoever is asked: more repeats of late say nothing."""
    rng = np.random.default_rng(1)
    kinds = np.concatenate([rng.random(300) < 0.1, rng.random(100) < 0.9]).astype(np.int64)
    by_kind, together = 0, 0
    for seed in range(60):
        scores = (np.random.default_rng(seed).random(400) < np.where(kinds == 1, 0.75, 0.95)).astype(float)
        by_kind += drift.follow(scores, kinds, window=50).is_drifting
        together += drift.follow(scores, np.zeros_like(kinds), window=50).is_drifting
    assert by_kind <= 4 < 20 < together


@pytest.mark.parametrize("count", [0, 1, 39])
def test_few_checks_say_nothing(count):
    course = drift.follow(np.zeros(count), ONE_KIND[:count], window=50)
    assert not course.is_drifting and course.checks == count


@given(st.lists(st.floats(0, 1), max_size=120), st.integers(20, 60))
def test_a_course_is_told_for_any_scores(scores, window):
    course = drift.follow(np.array(scores), ONE_KIND[: len(scores)], window=window)
    assert course.since is None or 0 < course.since < len(scores)


def test_what_is_no_check_is_refused():
    with pytest.raises(ValueError, match="window of 19"):
        drift.follow(np.ones(3), ONE_KIND[:3], window=19)
    with pytest.raises(ValueError, match="between 0 and 1"):
        drift.follow(np.array([2.0]), ONE_KIND[:1], window=20)


def test_a_weakened_matrix_says_less_in_the_same_direction():
    own = np.array([[0.9, 0.08, 0.02], [0.2, 0.7, 0.1], [0.0, 0.0, 1.0]])
    fallen = drift.Course(checks=400, before=0.9, now=0.6, since=300)
    weak = drift.weaken(own, fallen)
    assert weak.sum(axis=1) == pytest.approx(np.ones(3))
    assert np.diagonal(weak) == pytest.approx(np.diagonal(own) * (61 / 102) / 0.9)
    assert weak[0, 1] / weak[0, 2] == pytest.approx(4.0)
    assert drift.weaken(own, drift.Course(checks=400, before=0.9, now=0.6, since=None)) is own
    prior = np.full(3, 1 / 3)
    against = np.stack([default_confusion(3), own]), np.stack([default_confusion(3), weak])
    said = [posterior_of(labels=np.array([0, 1]), confusion=two, prior=prior) for two in against]
    assert said[1][1] < said[0][1]
