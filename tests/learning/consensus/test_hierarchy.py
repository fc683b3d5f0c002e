import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.consensus import dawid_skene, hierarchy
from learning.consensus.priors import default_confusion, expect_accuracy
from learning.consensus.settlement import Kind, decide
from tests.learning.consensus.test_settlement import ask, questions

# granulocyte (band and segmented neutrophil are neutrophils, these and eosinophils granulocytes), lymphocyte
GRANULOCYTE, NEUTROPHIL, BAND, SEGMENTED, EOSINOPHIL, LYMPHOCYTE = range(6)
PARENTS = (-1, GRANULOCYTE, NEUTROPHIL, NEUTROPHIL, GRANULOCYTE, -1)
FAMILIES = hierarchy.families_of(PARENTS)


@st.composite
def trees(draw):
    """Parents that come before their kinds, so that nothing is above itself."""
    count = draw(st.integers(1, 7))
    return tuple(draw(st.integers(-1, place - 1)) for place in range(count))


def posterior_after(*labels):
    stranger = default_confusion(6, priors=expect_accuracy(6, parents=PARENTS))
    return dawid_skene.posterior_of(
        labels=np.array(labels), confusion=np.tile(stranger, (len(labels), 1, 1)), prior=np.full(6, 1 / 6)
    )


def after_all(*labels, **changes):
    """The decision after as many answers as the study allows."""
    given_values = {"posterior": posterior_after(*labels), "rare": np.zeros(6, bool), "families": FAMILIES}
    return ask(**{**given_values, "answers": len(labels), "max_overlap": len(labels), "target": 0.9, **changes})


def test_a_family_is_a_class_and_all_that_is_below_it():
    assert FAMILIES[GRANULOCYTE].tolist() == [True, True, True, True, True, False]
    assert FAMILIES[NEUTROPHIL].tolist() == [False, True, True, True, False, False]
    assert FAMILIES[LYMPHOCYTE].sum() == 1


@pytest.mark.parametrize("parents", [(1, 0), (0,), (5, -1), (-2, -1), (1, 2, 1)])
def test_what_is_no_hierarchy_is_refused(parents):
    with pytest.raises(ValueError, match="are no hierarchy"):
        hierarchy.families_of(parents)


@given(parents=trees(), data=st.data())
def test_what_a_parent_has_is_its_own_and_that_of_its_kinds(parents, data):
    families = hierarchy.families_of(parents)
    weights = np.array(data.draw(st.lists(st.floats(0.01, 1), min_size=len(parents), max_size=len(parents))))
    shares = hierarchy.share_by_family(weights / weights.sum(), families)
    for kind, parent in enumerate(parents):
        below = [child for child, above in enumerate(parents) if above == kind]
        assert shares[kind] == pytest.approx(weights[kind] / weights.sum() + shares[below].sum())
        assert parent == -1 or shares[parent] >= shares[kind]
    holder = hierarchy.find_holder(weights / weights.sum(), families, target=0.6)
    if holder is None:
        assert (shares[families.sum(axis=1) > 1] < 0.6).all()
    else:
        head, share = holder
        smaller = (families.sum(axis=1) > 1) & families[head] & (np.arange(len(parents)) != head)
        assert share == pytest.approx(shares[head]) and share >= 0.6
        assert (shares[smaller] < 0.6).all()


@given(parents=trees(), strength=st.floats(0.5, 30), accuracy=st.floats(0.3, 0.95))
def test_a_parent_takes_nothing_from_how_right_people_are_believed_to_be(parents, strength, accuracy):
    plain = expect_accuracy(len(parents), strength=strength, accuracy=accuracy)
    kin = expect_accuracy(len(parents), strength=strength, accuracy=accuracy, parents=parents)
    counts, before = kin.confusion_counts(len(parents)), plain.confusion_counts(len(parents))
    families = hierarchy.families_of(parents)
    assert (counts > 0).all() or len(parents) == 1
    np.testing.assert_allclose(counts.sum(axis=1), before.sum(axis=1))
    related = families | families.T
    np.testing.assert_allclose(counts[~related], before[~related])
    if not (np.asarray(parents) >= 0).any():
        np.testing.assert_array_equal(counts, before)


def test_an_answer_of_the_parent_supports_its_kinds_rather_than_speaks_against_them():
    both = posterior_after(BAND, BAND)
    with_parent = posterior_after(BAND, BAND, NEUTROPHIL)
    with_other = posterior_after(BAND, BAND, LYMPHOCYTE)
    assert with_parent[BAND] > 0.85 and with_parent[LYMPHOCYTE] < 0.01 < with_other[LYMPHOCYTE]
    assert with_parent[LYMPHOCYTE] < both[LYMPHOCYTE]
    assert posterior_after(NEUTROPHIL, NEUTROPHIL, NEUTROPHIL).argmax() == NEUTROPHIL


def test_kinds_that_stay_undecided_settle_at_the_class_above_them():
    decision = after_all(BAND, SEGMENTED, BAND, SEGMENTED)
    assert (decision.kind, decision.label) == (Kind.SETTLE, NEUTROPHIL)
    assert 0.9 <= decision.confidence <= 1
    assert "Two classes lead together." in decision.reason
    assert "After all 4 allowed people the kinds of one class reach" in decision.reason


def test_the_smallest_family_that_is_sure_enough_holds():
    assert after_all(BAND, SEGMENTED, BAND, EOSINOPHIL, SEGMENTED, EOSINOPHIL).label == GRANULOCYTE


def test_while_somebody_can_be_asked_the_parent_does_not_settle():
    assert after_all(BAND, SEGMENTED, max_overlap=3).kind == Kind.OPEN_SLOT


def test_doubt_across_families_and_of_one_person_still_goes_to_an_adjudicator():
    assert after_all(BAND, LYMPHOCYTE, BAND, LYMPHOCYTE).kind == Kind.ADJUDICATE
    assert after_all(NEUTROPHIL, min_overlap=1, target=0.6).kind == Kind.ADJUDICATE


def test_without_parents_nothing_holds_for_undecided_classes():
    assert after_all(BAND, SEGMENTED, BAND, SEGMENTED, families=None).kind == Kind.ADJUDICATE


@pytest.mark.parametrize(
    ("votes", "kind", "label"),
    [
        ((0, 0, 1, 1, 0, 0), Kind.SETTLE, NEUTROPHIL),
        ((0, 1, 1, 0, 0, 0), Kind.SETTLE, NEUTROPHIL),
        ((0, 0, 1, 0, 1, 0), Kind.SETTLE, GRANULOCYTE),
        ((0, 0, 1, 0, 0, 1), Kind.ADJUDICATE, None),
        ((0, 1, 2, 0, 0, 0), Kind.SETTLE, BAND),
    ],
)
def test_with_a_fixed_overlap_kinds_that_lead_together_settle_at_their_parent(votes, kind, label):
    posterior = np.array(votes) / sum(votes)
    decision = after_all(BAND, BAND, posterior=posterior, fixed_overlap=2)
    assert (decision.kind, decision.label) == (kind, label)
    if label is not None:
        assert decision.confidence == pytest.approx(posterior[FAMILIES[label]].sum() if label != BAND else 2 / 3)


@given(question=questions(), parent=st.sampled_from([(-1, 0, 0), (-1, 0, 1), (-1, -1, 1), (-1, 0, -1)]))
def test_parents_change_nothing_but_who_settles_where_nobody_is_left_to_ask(question, parent):
    families = hierarchy.families_of(parent)
    plain, kin = decide(**question), decide(**question, families=families)
    if plain.kind != Kind.ADJUDICATE:
        assert plain == kin
    elif kin.kind == Kind.SETTLE:
        share = hierarchy.share_by_family(question["posterior"], families)[kin.label]
        assert families[kin.label].sum() > 1
        assert kin.confidence == pytest.approx(share)
        assert question["fixed_overlap"] or (share >= question["target"] and question["answers"] > 1)
