import numpy as np
import pytest

from learning.consensus import gather, majority
from learning.review.crowdlab import UNJUDGED, judge
from tests.learning.consensus.crowds import draw_crowd


def predict(truth, *, classes, accuracy, seed=0):
    """Probabilities of a model that is right at the rate `accuracy`."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(classes, 0.3), len(truth))
    said = np.where(rng.random(len(truth)) < accuracy, truth, rng.integers(0, classes, len(truth)))
    probabilities[np.arange(len(truth)), said] += 1.5
    return probabilities / probabilities.sum(axis=1, keepdims=True)


@pytest.fixture(scope="module")
def crowd():
    return draw_crowd(seed=1, items=600, annotators=6, classes=5, overlap=(1, 3), skill=0.7)


def test_a_fair_model_and_people_together_are_right_more_often_than_the_majority(crowd):
    judged = judge(crowd.answers, probabilities=predict(crowd.truth, classes=5, accuracy=0.8))
    voted = majority.tally(crowd.answers).argmax(axis=1)
    right = judged.labels == crowd.truth
    assert right.mean() > (voted == crowd.truth).mean() + 0.02
    assert judged.confidence[right].mean() > judged.confidence[~right].mean()
    assert ((judged.confidence >= 0) & (judged.confidence <= 1)).all()


def test_a_better_annotator_has_the_better_quality():
    crowd = draw_crowd(seed=2, items=400, annotators=4, classes=4, overlap=(4, 4), skill=0.85)
    rng = np.random.default_rng(0)
    labels = crowd.answers.labels.copy()
    spoiled = (crowd.answers.annotators == 2) & (rng.random(len(labels)) < 0.5)
    labels[spoiled] = rng.integers(0, 4, spoiled.sum())
    answers = gather(
        items=crowd.answers.items, annotators=crowd.answers.annotators, labels=labels, sizes=crowd.answers.sizes
    )
    judged = judge(answers, probabilities=predict(crowd.truth, classes=4, accuracy=0.8))
    assert judged.quality.argmin() == 2


def test_the_same_answers_in_any_order_give_the_same_bits_and_no_word(crowd, capsys):
    probabilities = predict(crowd.truth, classes=5, accuracy=0.8)
    first = judge(crowd.answers, probabilities=probabilities)
    order = np.random.default_rng(0).permutation(len(crowd.answers))
    columns = {name: getattr(crowd.answers, name)[order] for name in ("items", "annotators", "labels")}
    again = judge(gather(**columns, sizes=crowd.answers.sizes), probabilities=probabilities)
    assert again.labels.tobytes() == first.labels.tobytes()
    assert again.confidence.tobytes() == first.confidence.tobytes()
    assert capsys.readouterr() == ("", "")


def test_regions_without_a_prediction_or_an_answer_are_left_alone(crowd):
    probabilities = predict(crowd.truth, classes=5, accuracy=0.8)
    probabilities[:50] = np.nan
    kept = crowd.answers.items >= 100
    columns = {name: getattr(crowd.answers, name)[kept] for name in ("items", "annotators", "labels")}
    judged = judge(gather(**columns, sizes=crowd.answers.sizes), probabilities=probabilities)
    assert (judged.labels[:100] == UNJUDGED).all() and np.isnan(judged.confidence[:100]).all()
    assert (judged.labels[100:] != UNJUDGED).all()


def test_a_special_outcome_that_no_model_knows_can_be_the_label():
    answers = gather(
        items=[0, 0, 0, 1, 1, 2, 2], annotators=[0, 1, 2, 0, 1, 1, 2], labels=[2, 2, 2, 0, 0, 1, 1], sizes=(3, 3, 3)
    )
    probabilities = np.array([[0.5, 0.5, 0.0], [0.9, 0.1, 0.0], [0.2, 0.8, 0.0]])
    assert judge(answers, probabilities=probabilities).labels.tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("items", "annotators"), [([], []), ([0, 1, 2], [0, 1, 0]), ([0, 1], [1, 1])], ids=["none", "nothing shared", "one"]
)
def test_nobody_is_judged_where_nothing_tells_how_far_people_can_be_trusted(items, annotators):
    answers = gather(items=items, annotators=annotators, labels=[0] * len(items), sizes=(3, 2, 2))
    judged = judge(answers, probabilities=np.full((3, 2), 0.5))
    assert (judged.labels == UNJUDGED).all() and np.isnan(judged.quality).all()


def test_people_who_never_agree_are_judged_without_a_warning():
    answers = gather(items=[0, 0, 1, 1], annotators=[0, 1, 0, 1], labels=[0, 1, 1, 2], sizes=(2, 2, 3))
    judged = judge(answers, probabilities=np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]]))
    assert judged.labels.tolist() == [0, 1]


def test_predictions_of_another_shape_are_refused(crowd):
    with pytest.raises(ValueError, match="for 600 items in 5 classes"):
        judge(crowd.answers, probabilities=np.zeros((600, 4)))
