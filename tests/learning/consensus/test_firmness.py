import numpy as np
import pytest

from learning.consensus import dawid_skene, firmness

COMMON, RARE = 0, 1
SKILLED = np.array([[0.9, 0.1], [0.1, 0.9]])


def likelihood(*labels):
    return firmness.likelihood_of(labels=np.array(labels, int), confusion=np.tile(SKILLED, (len(labels), 1, 1)))


def test_two_who_disagree_give_neither_class_though_one_is_common():
    both = likelihood(COMMON, RARE)
    posterior = dawid_skene.posterior_of(
        labels=np.array([COMMON, RARE]), confusion=np.stack([SKILLED] * 2), prior=np.array([0.95, 0.05])
    )
    assert posterior[COMMON] == pytest.approx(0.95)
    assert firmness.of_answers(both, label=COMMON) == pytest.approx(0.5)


def test_answers_alone_are_the_posterior_under_even_classes():
    given = np.array([0, 2, 0])
    confusion = np.random.default_rng(0).dirichlet(np.ones(3), size=(3, 3))
    even = dawid_skene.posterior_of(labels=given, confusion=confusion, prior=np.full(3, 1 / 3))
    found = firmness.likelihood_of(labels=given, confusion=confusion)
    assert [firmness.of_answers(found, label=k) for k in range(3)] == pytest.approx(even.tolist())


def test_the_model_stands_in_for_the_shares_and_its_doubt_counts_for_the_strongest_rival():
    one = likelihood(COMMON)
    assert firmness.beside_model(one, label=COMMON, expected=COMMON, chance=0.5) == pytest.approx(0.9)
    assert firmness.beside_model(one, label=COMMON, expected=COMMON, chance=0.9) == pytest.approx(0.81 / 0.82)
    split = likelihood(COMMON, RARE)
    assert firmness.beside_model(split, label=COMMON, expected=COMMON, chance=0.97) == pytest.approx(0.97)


def test_a_model_that_is_sure_of_another_class_outweighs_one_answer_and_hardly_three():
    assert firmness.beside_model(likelihood(COMMON), label=COMMON, expected=RARE, chance=0.9) == pytest.approx(0.5)
    three = likelihood(COMMON, COMMON, COMMON)
    assert firmness.beside_model(three, label=COMMON, expected=RARE, chance=0.9) == pytest.approx(0.987805)


def test_it_is_never_more_than_the_whole_distribution_would_say():
    generator = np.random.default_rng(1)
    for _ in range(50):
        chances = generator.dirichlet(np.ones(4))
        found = firmness.likelihood_of(labels=np.array([2]), confusion=generator.dirichlet(np.ones(4), size=(1, 4)))
        whole = chances[2] * found[2] / (chances * found).sum()
        assert firmness.beside_model(found, label=2, expected=2, chance=chances[2]) <= whole + 1e-12


def test_nobody_s_answer_is_firm_in_nothing_and_a_chance_is_a_share():
    nobody = firmness.likelihood_of(labels=np.array([], int), confusion=np.zeros((0, 4, 4)))
    assert firmness.of_answers(nobody, label=1) == 0.25
    with pytest.raises(ValueError, match="between 0 and 1"):
        firmness.beside_model(nobody, label=1, expected=1, chance=1.2)


def test_an_impossible_answer_does_not_divide_by_nothing():
    never = firmness.likelihood_of(labels=np.array([0, 1]), confusion=np.stack([np.eye(2)] * 2))
    assert np.isfinite(never).all() and 0 <= firmness.of_answers(never, label=0) <= 1
    assert firmness.beside_model(np.array([0.0, 1.0]), label=0, expected=0, chance=1.0) == 0.0
