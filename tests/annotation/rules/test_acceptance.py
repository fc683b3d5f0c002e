"""The rule that takes what an acceptance sample found wrong into the next pass."""

from annotation.rules import acceptance
from annotation.rules.view import Verdict
from annotation.states import Severity
from tests.annotation.rules.views import CODES, clean_items, plant, view


def another(label: str) -> str:
    return CODES[(CODES.index(label) + 1) % len(CODES)]


def test_every_verdict_that_differs_is_found_and_nothing_else():
    items = clean_items(300)
    sampled = {one.region: Verdict(1, one.label, one.label, 0.01) for one in items[:200]}
    wrong = {items[place].region for place in plant(items[:200], seed=3)}
    for one in items:
        if one.region in wrong:
            sampled[one.region] = Verdict(1, another(one.label), one.label, 0.9)
    found = list(acceptance.find(view(*items, verdicts=sampled)))
    assert {one.region for one in found} == wrong
    assert all(one.severity is None for one in found)


def test_a_verdict_that_all_answers_together_speak_against_only_warns():
    (item,) = clean_items(1)
    doubted = {item.region: Verdict(1, another(item.label), item.label, 0.2)}
    (found,) = acceptance.find(view(item, verdicts=doubted))
    assert found.severity == Severity.WARNING and "20%" in found.message


def test_a_label_that_came_after_the_sample_and_differs_from_the_verdict_blocks():
    (item,) = clean_items(1)
    verdict = Verdict(1, another(item.label), another(another(item.label)), 0.1)
    (found,) = acceptance.find(view(item, verdicts={item.region: verdict}))
    assert found.severity is None and "chance" not in found.message
