import numpy as np
import pytest

from learning.model_card import CardPolicy, Shown, judge

CODES = ("a", "b")


def show(*, right, people, items=40, cases=8):
    """A model that is right on the first `right` items, and people who are on the first so many of their own."""
    truth = np.arange(items) % 2
    predicted = np.where(np.arange(items) < right, truth, 1 - truth)
    rows = np.arange(items)
    said = {
        name: (rows[:answered], np.where(rows[:answered] < good, truth[:answered], 1 - truth[:answered]))
        for name, (answered, good) in people.items()
    }
    domains = ["north" if case % 2 else "south" for case in rows % cases]
    return Shown(truth, rows % cases, domains, np.where(np.eye(2)[predicted], 0.9, 0.1), said)


def test_a_model_as_good_as_the_worst_person_is_accepted_and_one_region_worse_is_not():
    people = {"A1": (40, 39), "A2": (40, 30)}
    card = judge(show(right=30, people=people), class_codes=CODES)
    assert card["accepted"] and card["worst"]["name"] == "A2" and card["worst"]["people"] == 2
    assert card["reason"] == (
        "On the 40 regions that A2 answered, the model is right in 75.0% and A2, the worst of 2 people, in 75.0%: "
        "not worse, so it is accepted."
    )
    worse = judge(show(right=29, people=people), class_codes=CODES)
    assert not worse["accepted"] and worse["reason"].endswith("it is worse, so it is not released.")
    assert worse["right"][0] == pytest.approx(29 / 40)


def test_a_person_is_compared_on_the_regions_that_he_or_she_answered():
    """The model is right on these 20, though on half of all regions only."""
    card = judge(show(right=20, people={"A1": (20, 19)}), class_codes=CODES)
    assert card["accepted"] and card["worst"]["model"][0] == 1.0 and card["right"][0] == 0.5


def test_who_answered_few_does_not_count_and_nobody_is_no_bar():
    card = judge(show(right=30, people={"A1": (5, 0), "A2": (40, 29)}), class_codes=CODES)
    assert card["accepted"] and card["worst"]["name"] == "A2"
    alone = judge(show(right=40, people={"A1": (5, 0)}), class_codes=CODES)
    assert not alone["accepted"] and "nobody to compare" in alone["reason"]


def test_an_outcome_that_the_model_does_not_know_is_a_wrong_answer():
    shown = show(right=40, people={})
    shown = Shown(shown.truth, shown.cases, shown.domains, shown.proba, {"A1": (np.arange(40), np.full(40, -1))})
    assert judge(shown, class_codes=CODES)["worst"]["person"] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("few", [{"items": 29}, {"cases": 4}])
def test_too_few_regions_or_cases_are_refused_with_what_is_needed(few):
    card = judge(show(right=20, people={"A1": (20, 5)}, **few), class_codes=CODES)
    assert not card["accepted"] and "30 in 5 are needed" in card["reason"] and "right" not in card


def test_classes_and_domains_have_their_own_numbers_with_intervals_by_case():
    card = judge(show(right=30, people={"A1": (40, 20)}), class_codes=(*CODES,), policy=CardPolicy(items=10))
    assert set(card["per_class"]) == {"a", "b"} and card["per_class"]["a"]["items"] == 20
    assert sum(one["items"] for one in card["domains"].values()) == 40
    value, low, high = card["domains"]["north"]["right"]
    assert 0 <= low < value < high <= 1
