import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learning.consensus import dawid_skene, gather, majority
from learning.consensus.priors import TEXTBOOK, Priors, default_confusion, expect_accuracy
from tests.learning.consensus.crowds import draw_crowd


def textbook(answers, *, iterations):
    """Dawid & Skene (1979), equations 2.3 to 2.5, written with the paper's loops and plain products.

    The paper leaves open what zero over zero is: here equal shares of the labels that the annotator ever gave.
    """
    item_count, annotator_count, class_count = answers.sizes
    n = np.zeros((item_count, annotator_count, class_count))
    n[answers.items, answers.annotators, answers.labels] = 1
    posterior = n.sum(axis=1) / n.sum(axis=(1, 2))[:, None]
    for _ in range(iterations):
        pi = np.zeros((annotator_count, class_count, class_count))
        for k in range(annotator_count):
            for j in range(class_count):
                counts = (posterior[:, j, None] * n[:, k]).sum(axis=0)
                used = n[:, k].any(axis=0)
                pi[k, j] = counts / counts.sum() if counts.sum() else used / used.sum()
        p = posterior.sum(axis=0) / item_count
        for i in range(item_count):
            likelihood = np.array([p[j] * np.prod(pi[:, j] ** n[i]) for j in range(class_count)])
            posterior[i] = likelihood / likelihood.sum()
    return posterior, pi, p


def test_without_priors_it_is_the_textbook_estimate():
    answers = draw_crowd(seed=3, items=150, annotators=4, classes=3, overlap=(4, 4), skill=0.75).answers
    fitted = dawid_skene.fit(answers, priors=TEXTBOOK, max_iterations=30, tolerance=-np.inf)
    posterior, confusion, prior = textbook(answers, iterations=30)
    assert fitted.iterations == 30
    np.testing.assert_allclose(fitted.posterior, posterior, atol=1e-6)
    np.testing.assert_allclose(fitted.confusion, confusion, atol=1e-6)
    np.testing.assert_allclose(fitted.prior, prior, atol=1e-6)


def test_without_priors_what_is_ruled_out_stays_ruled_out():
    answers = draw_crowd(seed=1, items=400, annotators=9, classes=7, overlap=(1, 4), skill=0.8).answers
    fitted = dawid_skene.fit(answers, priors=TEXTBOOK, max_iterations=15, tolerance=-np.inf)
    posterior, _, _ = textbook(answers, iterations=15)
    np.testing.assert_allclose(fitted.posterior, posterior, atol=1e-9)
    assert (fitted.posterior == 0).any()


def test_an_item_whose_answers_rule_out_every_class_keeps_a_posterior():
    answers = gather(items=[0, 0, 1, 1], annotators=[0, 1, 0, 1], labels=[0, 1, 0, 0], sizes=(2, 2, 2))
    start = dawid_skene.fit(answers, priors=TEXTBOOK, max_iterations=1)
    sure = replace(start, confusion=np.stack([np.eye(2)] * 2), prior=np.array([0.5, 0.5]))
    fitted = dawid_skene.fit(answers, priors=TEXTBOOK, warm_start=sure, max_iterations=1)
    assert np.isfinite(fitted.posterior).all()
    np.testing.assert_allclose(fitted.posterior.sum(axis=1), 1)


def test_the_order_of_arrival_changes_no_bit():
    answers = draw_crowd(seed=5, items=400, annotators=9, classes=7, overlap=(1, 4), skill=0.8).answers
    expected = dawid_skene.fit(answers)
    rng = np.random.default_rng(0)
    for _ in range(20):
        order = rng.permutation(len(answers))
        columns = {name: getattr(answers, name)[order] for name in ("items", "annotators", "labels")}
        again = dawid_skene.fit(gather(**columns, sizes=answers.sizes))
        assert again.posterior.tobytes() == expected.posterior.tobytes()
        assert again.confusion.tobytes() == expected.confusion.tobytes()
        assert again.prior.tobytes() == expected.prior.tobytes()
        assert (again.log_posterior, again.iterations) == (expected.log_posterior, expected.iterations)


def test_it_beats_majority_where_annotators_differ():
    gained = []
    for seed in range(5):
        crowd = draw_crowd(seed=seed, items=1200, annotators=8, classes=8, overlap=(2, 3), skill=0.7)
        fitted = dawid_skene.fit(crowd.answers).posterior.argmax(axis=1)
        voted = majority.tally(crowd.answers).argmax(axis=1)
        gained.append((fitted == crowd.truth).mean() - (voted == crowd.truth).mean())
    assert np.mean(gained) > 0.02


def test_what_reaches_the_target_is_as_right_as_it_says():
    right = []
    for seed in range(5):
        crowd = draw_crowd(seed=seed, items=1200, annotators=8, classes=8, overlap=(2, 3), skill=0.85)
        posterior = dawid_skene.fit(crowd.answers).posterior
        settled = posterior.max(axis=1) >= 0.95
        assert settled.mean() > 0.8
        right.append((posterior.argmax(axis=1) == crowd.truth)[settled].mean())
    assert np.mean(right) > 0.95


def test_confusion_matrices_come_close_to_the_true_ones():
    crowd = draw_crowd(seed=1, items=4000, annotators=5, classes=4, overlap=(4, 5), skill=0.8)
    fitted = dawid_skene.fit(crowd.answers)
    assert np.abs(fitted.confusion - crowd.confusion).max() < 0.08
    np.testing.assert_allclose(fitted.confusion.sum(axis=-1), 1)
    np.testing.assert_allclose(fitted.posterior.sum(axis=-1), 1)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_each_round_raises_the_objective(data):
    seed = data.draw(st.integers(0, 10_000))
    crowd = draw_crowd(seed=seed, items=25, annotators=4, classes=3, overlap=(1, 3), skill=0.7)
    priors = data.draw(st.sampled_from([TEXTBOOK, Priors(1.0, 0.2, 0.5), expect_accuracy(3)]))
    objectives = [
        dawid_skene.fit(crowd.answers, priors=priors, max_iterations=limit, tolerance=-np.inf).log_posterior
        for limit in range(1, 8)
    ]
    assert (np.diff(objectives) >= -1e-9).all()


def test_a_warm_start_ends_where_the_cold_one_ended_and_sooner():
    answers = draw_crowd(seed=2, items=800, annotators=6, classes=5, overlap=(2, 4), skill=0.75).answers
    cold = dawid_skene.fit(answers, tolerance=1e-9, max_iterations=1000)
    warm = dawid_skene.fit(answers, warm_start=cold, tolerance=1e-9, max_iterations=1000)
    assert cold.converged and warm.converged
    assert warm.iterations < cold.iterations / 3
    np.testing.assert_allclose(warm.posterior, cold.posterior, atol=1e-3)


def test_a_warm_start_takes_new_annotators_and_refuses_lost_ones():
    answers = draw_crowd(seed=2, items=200, annotators=6, classes=5, overlap=(2, 4), skill=0.75).answers
    snapshot = dawid_skene.fit(answers)
    item_count, annotator_count, class_count = answers.sizes
    columns = {name: getattr(answers, name) for name in ("items", "annotators", "labels")}
    grown = gather(**columns, sizes=(item_count, annotator_count + 2, class_count))
    fitted = dawid_skene.fit(grown, warm_start=snapshot)
    np.testing.assert_allclose(fitted.confusion[-1], default_confusion(class_count))
    with pytest.raises(ValueError, match="The warm start knows 8 annotators, the answers only 6"):
        dawid_skene.fit(answers, warm_start=fitted)


def test_items_without_answers_have_the_class_prior():
    answers = gather(items=[0, 0, 1], annotators=[0, 1, 0], labels=[1, 1, 0], sizes=(3, 2, 2))
    fitted = dawid_skene.fit(answers)
    np.testing.assert_allclose(fitted.posterior[2], fitted.prior, atol=1e-6)


def test_no_items_give_the_prior_belief():
    fitted = dawid_skene.fit(gather(items=[], annotators=[], labels=[], sizes=(0, 2, 3)))
    np.testing.assert_allclose(fitted.prior, [1 / 3] * 3)
    np.testing.assert_allclose(fitted.confusion, [default_confusion(3)] * 2)


def test_one_region_has_the_posterior_of_the_whole_fit():
    answers = draw_crowd(seed=4, items=300, annotators=6, classes=5, overlap=(1, 5), skill=0.75).answers
    fitted = dawid_skene.fit(answers)
    again = dawid_skene.fit(answers, warm_start=fitted, max_iterations=1)
    for item in range(0, 300, 17):
        mine = answers.items == item
        single = dawid_skene.posterior_of(
            labels=answers.labels[mine],
            confusion=again.confusion[answers.annotators[mine]],
            prior=again.prior,
        )
        np.testing.assert_allclose(single, again.posterior[item], atol=1e-12)


def test_one_region_without_answers_has_the_prior():
    prior = np.array([0.7, 0.3])
    posterior = dawid_skene.posterior_of(labels=np.array([], int), confusion=np.zeros((0, 2, 2)), prior=prior)
    np.testing.assert_allclose(posterior, prior)


def test_one_region_stays_finite_where_every_answer_was_impossible():
    confusion = np.stack([np.eye(3), np.eye(3)])
    posterior = dawid_skene.posterior_of(labels=np.array([0, 1]), confusion=confusion, prior=np.full(3, 1 / 3))
    np.testing.assert_allclose(posterior, [0.5, 0.5, 0], atol=1e-12)


def test_one_region_refuses_matrices_that_do_not_fit():
    with pytest.raises(ValueError, match="2 answers in 3 classes need confusion matrices of shape"):
        dawid_skene.posterior_of(labels=np.array([0, 1]), confusion=np.zeros((1, 3, 3)), prior=np.full(3, 1 / 3))


def test_one_region_takes_far_less_than_five_milliseconds():
    confusion = np.tile(default_confusion(18), (8, 1, 1))
    labels, prior = np.arange(8), np.full(18, 1 / 18)
    start = time.perf_counter()
    for _ in range(100):
        dawid_skene.posterior_of(labels=labels, confusion=confusion, prior=prior)
    assert (time.perf_counter() - start) / 100 < 0.005


def test_expected_counts_are_all_answers_and_repeat_the_confusion():
    answers = draw_crowd(seed=6, items=200, annotators=4, classes=3, overlap=(2, 3), skill=0.8).answers
    fitted = dawid_skene.fit(answers, priors=TEXTBOOK, tolerance=1e-12, max_iterations=3000)
    counts = dawid_skene.count_confusions(answers, fitted.posterior)
    assert counts.sum() == pytest.approx(len(answers))
    np.testing.assert_allclose(counts / counts.sum(axis=-1, keepdims=True), fitted.confusion, atol=1e-3)


@pytest.mark.parametrize("values", [(-1.0, 0.1, 1.0), (1.0, float("nan"), 1.0), (1.0, 0.1, float("inf"))])
def test_impossible_priors_are_refused(values):
    with pytest.raises(ValueError, match="Pseudo-counts are zero or more"):
        Priors(*values)


def test_a_stranger_is_believed_to_be_as_accurate_as_the_prior_says():
    confusion = default_confusion(5, priors=expect_accuracy(5, accuracy=0.7))
    np.testing.assert_allclose(np.diagonal(confusion), 0.7)
    np.testing.assert_allclose(confusion.sum(axis=1), 1)


@pytest.mark.bench
def test_a_million_answers_take_less_than_five_seconds():
    rng = np.random.default_rng(0)
    item_count, annotator_count, class_count, overlap = 200_000, 200, 18, 5
    truth = rng.integers(0, class_count, item_count)
    items = np.repeat(np.arange(item_count), overlap)
    annotators = (rng.integers(0, annotator_count, item_count)[:, None] + np.arange(overlap)) % annotator_count
    right = rng.random(len(items)) < 0.8
    labels = np.where(right, truth[items], rng.integers(0, class_count, len(items)))
    start = time.perf_counter()
    answers = gather(
        items=items,
        annotators=annotators.ravel(),
        labels=labels,
        sizes=(item_count, annotator_count, class_count),
    )
    fitted = dawid_skene.fit(answers)
    assert time.perf_counter() - start < 5
    assert fitted.converged
    assert (fitted.posterior.argmax(axis=1) == truth).mean() > 0.97
