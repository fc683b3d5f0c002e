import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.consensus.settlement import Kind, decide, first_slots

SURE = np.array([0.02, 0.97, 0.01])
UNSURE = np.array([0.6, 0.3, 0.1])
TIED = np.array([0.45, 0.45, 0.1])


def ask(**changes):
    given_values = {
        "posterior": SURE,
        "answers": 2,
        "min_overlap": 2,
        "max_overlap": 4,
        "target": 0.95,
        "rare": np.zeros(3, bool),
        "firmness": 0.96,
        "single_reliability": 0.98,
        "planted_check": False,
        "is_audit": False,
        "fixed_overlap": None,
    }
    return decide(**{**given_values, **changes})


def test_enough_sure_people_settle():
    decision = ask()
    assert (decision.kind, decision.label, decision.confidence) == (Kind.SETTLE, 1, 0.97)
    assert decision.reason == "The posterior of 0.970 reaches the target of 0.950 after 2."


def test_the_kind_reads_as_plain_text():
    assert ask().kind == "settle"


def test_too_few_people_wait_for_the_slots_that_are_open():
    assert ask(answers=1).kind == Kind.WAIT


def test_an_unsure_posterior_opens_one_slot_and_says_why():
    decision = ask(posterior=UNSURE)
    assert decision.kind == Kind.OPEN_SLOT
    assert decision.reason == "The posterior of 0.600 is under the target of 0.950. One more person is asked."


def test_an_unsure_posterior_goes_to_an_adjudicator_when_nobody_is_left_to_ask():
    assert ask(posterior=UNSURE, answers=4).kind == Kind.ADJUDICATE


def test_a_tie_never_settles_however_low_the_target():
    decision = ask(posterior=TIED, target=0.3, answers=4)
    assert (decision.kind, decision.label) == (Kind.ADJUDICATE, None)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"firmness": 0.98}, Kind.SETTLE),
        ({"firmness": 0.97}, Kind.OPEN_SLOT),
        ({"firmness": None}, Kind.OPEN_SLOT),
        ({"firmness": 0.99, "rare": np.array([False, True, False])}, Kind.OPEN_SLOT),
        ({"firmness": 0.99, "posterior": UNSURE}, Kind.OPEN_SLOT),
        ({"firmness": 0.99, "is_audit": True}, Kind.WAIT),
        ({"firmness": 0.99, "planted_check": True}, Kind.OPEN_SLOT),
    ],
)
def test_one_answer_settles_only_where_it_is_firm(changes, kind):
    assert ask(answers=1, min_overlap=1, **changes).kind == kind


def test_answers_that_reach_the_target_by_prevalence_alone_are_not_enough():
    decision = ask(firmness=0.5)
    assert decision.kind == Kind.OPEN_SLOT
    doubt = "Without the shares of the classes these answers give 0.500, under the target of 0.950."
    assert decision.reason == f"{doubt} One more person is asked."
    assert ask(firmness=0.5, answers=4).kind == Kind.ADJUDICATE


def test_one_answer_with_no_second_allowed_goes_to_an_adjudicator():
    assert ask(answers=1, min_overlap=1, max_overlap=1).kind == Kind.ADJUDICATE


def test_a_planted_region_gets_one_more_opinion_and_then_settles():
    first = ask(planted_check=True)
    assert (first.kind, first.is_check, first.label) == (Kind.OPEN_SLOT, True, 1)
    assert ask(planted_check=False, answers=3).kind == Kind.SETTLE


def test_a_planted_region_that_would_not_have_stopped_is_no_check():
    decision = ask(planted_check=True, posterior=UNSURE)
    assert (decision.kind, decision.is_check) == (Kind.OPEN_SLOT, False)


def test_a_planted_region_never_goes_beyond_the_maximum():
    assert ask(planted_check=True, answers=4).kind == Kind.SETTLE


def test_audit_regions_get_two_people_even_where_the_policy_asks_one():
    assert ask(answers=1, min_overlap=1, max_overlap=1, is_audit=True).kind == Kind.WAIT
    assert ask(answers=2, min_overlap=1, max_overlap=1, is_audit=True).kind == Kind.SETTLE
    assert first_slots(min_overlap=1, is_audit=True, fixed_overlap=1) == 2


def test_a_fixed_overlap_settles_by_the_leading_class_after_exactly_that_many():
    assert ask(fixed_overlap=3, answers=2).kind == Kind.WAIT
    assert (
        ask(fixed_overlap=3, answers=3, posterior=UNSURE).kind,
        ask(fixed_overlap=3, answers=3).label,
    ) == (
        Kind.SETTLE,
        1,
    )
    assert ask(fixed_overlap=3, answers=3, posterior=TIED).kind == Kind.ADJUDICATE


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"min_overlap": 0}, "An overlap from 0 to 4"),
        ({"max_overlap": 1}, "An overlap from 2 to 1"),
        ({"target": 0.0}, "A target of 0.0"),
        ({"answers": -1}, "-1 people can't have answered"),
        ({"posterior": np.array([np.nan, 1.0])}, "A posterior is one finite share per class"),
        ({"fixed_overlap": -1}, "An overlap of -1 asks nobody"),
    ],
)
def test_an_impossible_question_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        ask(**changes)


@st.composite
def questions(draw):
    weights = np.array(draw(st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3))) ** draw(st.sampled_from([0, 1, 6]))
    min_overlap = draw(st.integers(1, 4))
    return {
        "posterior": weights / weights.sum(),
        "answers": draw(st.integers(1, 8)),
        "min_overlap": min_overlap,
        "max_overlap": draw(st.integers(min_overlap, 6)),
        "target": draw(st.floats(0.4, 1.0)),
        "rare": np.array(draw(st.lists(st.booleans(), min_size=3, max_size=3))),
        "firmness": draw(st.none() | st.floats(0, 1)),
        "single_reliability": draw(st.floats(0.5, 1.0)),
        "planted_check": draw(st.booleans()),
        "is_audit": draw(st.booleans()),
        "fixed_overlap": draw(st.none() | st.integers(0, 5)),
    }


@given(question=questions())
def test_the_promises_hold_for_any_question(question):
    decision = decide(**question)
    first = first_slots(
        min_overlap=question["min_overlap"],
        is_audit=question["is_audit"],
        fixed_overlap=question["fixed_overlap"],
    )
    assert decision.kind in Kind
    assert (decision.kind == Kind.WAIT) == (question["answers"] < first)
    if decision.kind == Kind.SETTLE:
        assert question["answers"] >= first
        assert decision.label == question["posterior"].argmax()
        if not question["fixed_overlap"]:
            alone = question["answers"] == 1
            assert decision.confidence >= question["target"]
            assert question["firmness"] >= (question["single_reliability"] if alone else question["target"])
        assert not (question["is_audit"] and question["answers"] < 2)
        if question["answers"] == 1 and not question["fixed_overlap"]:
            assert not question["rare"][decision.label]
    if decision.kind == Kind.OPEN_SLOT:
        assert not question["fixed_overlap"]
        assert question["answers"] + 1 <= max(question["max_overlap"], first)


@given(question=questions(), later=st.lists(st.floats(0.34, 1.0), min_size=8, max_size=8))
def test_a_region_always_comes_to_a_decision_within_its_overlap(question, later):
    slots = first_slots(
        min_overlap=question["min_overlap"],
        is_audit=question["is_audit"],
        fixed_overlap=question["fixed_overlap"],
    )
    limit = slots if question["fixed_overlap"] else max(question["max_overlap"], slots)
    answered = 0
    while answered < slots:
        answered += 1
        lead = later[answered - 1]
        posterior = np.array([lead, (1 - lead) * 0.6, (1 - lead) * 0.4])
        decision = decide(**{**question, "posterior": posterior, "answers": answered})
        slots += decision.kind == Kind.OPEN_SLOT
        if decision.kind == Kind.SETTLE:
            break
    assert decision.kind in {Kind.SETTLE, Kind.ADJUDICATE}
    assert answered <= slots <= limit


@pytest.mark.parametrize(
    ("answers", "doubted", "max_overlap", "kind"),
    [
        (1, 1, 3, Kind.OPEN_SLOT),  # by itself never
        (2, 1, 3, Kind.OPEN_SLOT),  # one sound answer of at least two
        (3, 1, 3, Kind.SETTLE),  # two sound ones
        (3, 2, 3, Kind.SETTLE),  # everybody allowed was asked, and one of them is sound
        (3, 3, 3, Kind.ADJUDICATE),
        (2, 0, 3, Kind.SETTLE),
    ],
)
def test_who_has_fallen_off_does_not_count_towards_the_minimum(answers, doubted, max_overlap, kind):
    minimum = min(answers, 2)
    found = decide(
        posterior=np.array([0.99, 0.005, 0.005]), answers=answers, min_overlap=minimum, max_overlap=max_overlap,
        target=0.9, rare=np.zeros(3, dtype=bool), firmness=0.99, single_reliability=0.95, planted_check=False,
        is_audit=False, fixed_overlap=None, doubted=doubted,
    )  # fmt: skip
    assert found.kind is kind
