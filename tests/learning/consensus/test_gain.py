from itertools import product

import numpy as np
import pytest
from cleanlab.multiannotator import get_active_learning_scores

from learning.consensus import dawid_skene, gain
from learning.consensus.gain import Asking, measure_gain
from learning.consensus.priors import default_confusion, expect_accuracy

ASKING = Asking(least=2, most=4, target=0.9)


def typical(size, accuracy=0.8):
    return default_confusion(size, priors=expect_accuracy(size, accuracy=accuracy))


def enumerate_gain(*, posterior, answers, confusion, asking, expected, weights, reach):
    """The same by walking through every sequence of answers and every truth, with the real estimate's posterior."""
    best = 0.0
    for horizon in range(1, min(reach, asking.most - answers) + 1):
        right = spent = 0.0
        for truth, said in product(range(len(posterior)), product(range(len(posterior)), repeat=horizon)):
            chance = expected[truth] * np.prod([confusion[truth, label] for label in said])
            paid = horizon
            for step in range(1, horizon + 1):
                given = np.array(said[:step])
                after = dawid_skene.posterior_of(labels=given, confusion=np.stack([confusion] * step), prior=posterior)
                if answers + step >= asking.least and after.max() >= asking.target:
                    right, paid = right + chance * weights[truth] * (after.argmax() == truth), step
                    break
                if answers + step == asking.most:
                    right, paid = right + chance * weights[truth], step + 1
                    break
            spent += chance * paid
        best = max(best, right / spent)
    return best


@pytest.mark.parametrize("answers", [0, 1, 2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_the_gain_is_that_of_walking_through_every_sequence_of_answers(seed, answers):
    rng = np.random.default_rng(seed)
    posterior, expected = rng.dirichlet(np.ones(3), size=2)
    confusion = 0.7 * np.eye(3) + 0.3 * rng.dirichlet(np.ones(3), size=3)
    weights = rng.uniform(0.5, 3.0, size=3)
    known = {"posterior": posterior, "answers": answers, "confusion": confusion, "asking": ASKING, "reach": 3}
    found = measure_gain(expected=expected, weights=weights, **known)
    assert found == pytest.approx(enumerate_gain(expected=expected, weights=weights, **known), abs=1e-12)


def test_a_begun_region_is_worth_more_than_a_new_one_unless_people_cannot_tell_its_classes():
    confusion = np.array([[0.55, 0.45, 0, 0], [0.45, 0.55, 0, 0], [0, 0, 0.95, 0.05], [0, 0, 0.05, 0.95]])
    shared = {"confusion": confusion, "asking": Asking(2, 5, 0.9)}
    new = measure_gain(posterior=np.array([0.1, 0.1, 0.4, 0.4]), answers=0, **shared)
    begun = measure_gain(posterior=np.array([0, 0, 0.95, 0.05]), answers=1, **shared)
    hopeless = measure_gain(posterior=np.array([0.5, 0.5, 0, 0]), answers=2, **shared)
    assert begun > new > hopeless > 0


def test_a_new_region_that_the_model_expects_to_be_of_a_rare_class_is_worth_more():
    prior, weights = np.array([0.6, 0.35, 0.05]), np.array([0.5, 1.0, 6.0])
    shared = {"posterior": prior, "answers": 0, "confusion": typical(3), "asking": ASKING, "weights": weights}
    common = gain.expect_from_top(top=0, share=0.5, second=1, margin=0.1, prior=prior)
    rare = gain.expect_from_top(top=2, share=0.5, second=1, margin=0.1, prior=prior)
    assert measure_gain(expected=rare, **shared) > 2 * measure_gain(expected=common, **shared)


def test_worth_scales_with_the_weights_and_a_careful_crowd_gains_more():
    known = {"posterior": np.full(3, 1 / 3), "answers": 0, "asking": ASKING}
    once = measure_gain(confusion=typical(3), **known)
    assert measure_gain(confusion=typical(3), weights=np.full(3, 2.0), **known) == pytest.approx(2 * once)
    assert measure_gain(confusion=typical(3, accuracy=0.95), **known) > once


def test_the_last_answer_allowed_brings_the_adjudicator_who_is_right():
    """With answers that say nothing, two are spent on the way: the last person's and the adjudicator's."""
    known = {"posterior": np.array([0.5, 0.5]), "answers": 3, "asking": ASKING}
    assert measure_gain(confusion=np.full((2, 2), 0.5), **known) == pytest.approx(0.5)


def test_what_is_kept_of_a_models_word_gives_its_probabilities_back():
    prior = np.array([0.5, 0.25, 0.125, 0.125])
    found = gain.expect_from_top(top=2, share=0.5, second=0, margin=0.2, prior=prior)
    assert found == pytest.approx([0.3, 0.2 * 0.25 / 0.375, 0.5, 0.2 * 0.125 / 0.375])
    assert gain.expect_from_top(top=1, share=1.0, second=None, margin=0.0, prior=prior).tolist() == [0, 1, 0, 0]


def test_the_models_word_stands_in_for_the_prior():
    prior, evidence = np.array([0.8, 0.1, 0.1]), np.array([0.2, 0.5, 0.3])
    posterior, expected = prior * evidence / (prior * evidence).sum(), np.array([0.1, 0.1, 0.8])
    wanted = expected * evidence / (expected * evidence).sum()
    assert gain.pool(posterior, prior=prior, expected=expected) == pytest.approx(wanted)


def test_what_activelab_calls_unsure_among_regions_of_as_many_answers_is_dearest_to_settle_here():
    """Its score is low where consensus, annotators and model leave doubt; each answer brings least there, as it takes
    more of them. Both must read the same evidence the same way, though ActiveLab goes to the low end and we do not."""
    rng = np.random.default_rng(5)
    size, count = 4, 120
    truth = rng.integers(0, size, count)
    confusion = typical(size)
    said = np.array([[rng.choice(size, p=confusion[one]) for _ in range(2)] for one in truth])
    proba = 0.55 * np.eye(size)[truth] + 0.45 * rng.dirichlet(np.ones(size), size=count)
    labels = np.full((count, 6), np.nan)
    for row in range(count):
        labels[row, rng.permutation(6)[:2]] = said[row]
    scores, _ = get_active_learning_scores(labels, proba)
    even = np.full(size, 1 / size)
    gains = []
    for row in range(count):
        posterior = dawid_skene.posterior_of(labels=said[row], confusion=np.stack([confusion] * 2), prior=even)
        believed = gain.pool(posterior, prior=even, expected=proba[row])
        gains.append(measure_gain(posterior=posterior, answers=2, confusion=confusion, expected=believed,
                                  asking=Asking(2, 5, 0.99)))  # fmt: skip
    order = np.argsort(np.argsort(scores)), np.argsort(np.argsort(gains))
    assert np.corrcoef(*order)[0, 1] > 0.5


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="can't be"):
        Asking(3, 2, 0.9)
    with pytest.raises(ValueError, match="3 classes do not fit"):
        measure_gain(posterior=np.full(3, 1 / 3), answers=0, confusion=np.eye(2), asking=ASKING)
