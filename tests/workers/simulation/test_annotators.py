"""Scripted annotators: as skilled as asked, worse on borderline items, and repeatable whatever the order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.simulation.annotators import Annotator, Habits, draw_confusion

CODES = [f"class-{number}" for number in range(8)]
REGIONS = [f"{number:020x}" for number in range(1500)]


def annotator(seed: int = 0, index: int = 1, **habits: float) -> Annotator:
    return Annotator(codes=CODES, specials=["unclear"], habits=Habits(**habits), seed=seed, index=index)


def accuracy(person: Annotator, *, borderline: str = "") -> float:
    right = 0
    for number, region in enumerate(REGIONS):
        truth = CODES[number % 7]
        label = person.respond(truth=truth, borderline=borderline and CODES[7], region=region, count=0).label
        right += label == truth
    return right / len(REGIONS)


@pytest.mark.parametrize("skill", [0.6, 0.85, 0.95])
def test_people_are_on_average_as_accurate_as_their_skill(skill: float) -> None:
    people = [annotator(index=index, skill=skill) for index in range(1, 9)]
    assert np.mean([accuracy(person) for person in people]) == pytest.approx(skill, abs=0.03)


def test_borderline_items_get_more_errors_and_mostly_the_other_class() -> None:
    person = annotator(skill=0.9)
    assert accuracy(person, borderline="yes") < accuracy(person) - 0.25
    labels = [person.respond(truth=CODES[0], borderline=CODES[7], region=region, count=0).label for region in REGIONS]
    wrong = [label for label in labels if label != CODES[0]]
    assert wrong.count(CODES[7]) / len(wrong) > 0.75


def test_answers_do_not_depend_on_the_order_of_regions() -> None:
    one, two = annotator(seed=5), annotator(seed=5)
    forwards = {r: one.respond(truth=CODES[1], borderline="", region=r, count=0) for r in REGIONS[:200]}
    backwards = {r: two.respond(truth=CODES[1], borderline="", region=r, count=0) for r in REGIONS[199::-1]}
    assert forwards == backwards


def test_another_seed_person_or_count_gives_other_answers() -> None:
    def labels(person: Annotator, count: int = 0) -> list[str]:
        return [person.respond(truth=CODES[2], borderline="", region=r, count=count).label for r in REGIONS[:300]]

    base = labels(annotator(skill=0.7))
    assert base == labels(annotator(skill=0.7))
    assert base != labels(annotator(seed=1, skill=0.7))
    assert base != labels(annotator(index=2, skill=0.7))
    assert base != labels(annotator(skill=0.7), count=1)


def test_accuracy_differs_between_classes_of_one_person() -> None:
    diagonal = np.diag(annotator(skill=0.8).confusion)[:8]
    assert diagonal.std() > 0.02


@settings(max_examples=40, deadline=None)
@given(
    codes=st.integers(2, 12),
    specials=st.integers(0, 3),
    skill=st.floats(0.1, 1.0),
    seed=st.integers(0, 2**31),
)
def test_rows_of_every_confusion_matrix_are_probabilities(codes: int, specials: int, skill: float, seed: int) -> None:
    habits = Habits(skill=skill, special_rate=0.01)
    confusion = draw_confusion(codes, specials, habits=habits, rng=np.random.default_rng(seed))
    assert confusion.shape == (codes + specials, codes + specials)
    assert (confusion >= 0).all()
    np.testing.assert_allclose(confusion.sum(axis=1), 1.0)
    if specials:
        assert (confusion[:codes, codes:].sum(axis=1) <= 0.0101).all()


def test_skips_slips_and_slowness_come_at_their_rates() -> None:
    person = annotator(skip_rate=0.1, undo_rate=0.2, slow_rate=0.05)
    responses = [person.respond(truth=CODES[0], borderline="", region=r, count=0) for r in REGIONS]
    assert np.mean([one.skips for one in responses]) == pytest.approx(0.1, abs=0.03)
    assert np.mean([bool(one.slip) for one in responses]) == pytest.approx(0.2, abs=0.04)
    assert all(one.slip != one.label for one in responses)
    assert np.mean([one.seconds > 20 for one in responses]) == pytest.approx(0.05, abs=0.03)
