import numpy as np
import pytest

from learning.consensus import AnswersError, gather, majority


def test_answers_are_sorted_by_item_then_annotator():
    answers = gather(items=[1, 0, 1], annotators=[2, 0, 1], labels=[0, 1, 1], sizes=(2, 3, 2))
    assert answers.items.tolist() == [0, 1, 1]
    assert answers.annotators.tolist() == [0, 1, 2]
    assert answers.labels.tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([0, 0], [1, 1], [0, 1]), "Annotator 1 answers item 0 twice or more"),
        (([0, 2], [0, 0], [0, 0]), "`items` holds 2 at position 1; valid values are 0 to 1"),
        (([0, 1], [0, 3], [0, 0]), "`annotators` holds 3 at position 1; valid values are 0 to 2"),
        (([0, 1], [0, 0], [-1, 0]), "`labels` holds -1 at position 0; valid values are 0 to 1"),
        (([0, 1], [0, 0], [0]), "the lengths are {'items': 2, 'annotators': 2, 'labels': 1}"),
        (([0.0, 1.0], [0, 0], [0, 0]), "`items` has shape .2,. and type float64"),
        (([[0], [1]], [0, 0], [0, 0]), "`items` has shape .2, 1."),
    ],
)
def test_bad_answers_are_refused_with_what_is_wrong(columns, message):
    items, annotators, labels = columns
    with pytest.raises(AnswersError, match=message):
        gather(items=items, annotators=annotators, labels=labels, sizes=(2, 3, 2))


def test_no_answers_at_all_are_fine():
    answers = gather(items=[], annotators=[], labels=[], sizes=(3, 0, 2))
    assert len(answers) == 0
    assert majority.tally(answers).tolist() == [[0.5, 0.5]] * 3


def test_majority_keeps_ties_as_ties():
    answers = gather(
        items=[0, 0, 0, 1, 1, 2], annotators=[0, 1, 2, 0, 1, 0], labels=[1, 1, 0, 2, 0, 2], sizes=(4, 3, 3)
    )
    posterior = majority.tally(answers)
    shares = np.array([[1 / 3, 2 / 3, 0.0], [0.5, 0.0, 0.5], [0.0, 0.0, 1.0], [1 / 3] * 3])
    np.testing.assert_allclose(posterior, shares)
    assert majority.choose_labels(posterior).tolist() == [1, majority.TIE, 2, majority.TIE]
