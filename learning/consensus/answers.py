"""Answers as sparse triples: who said what about which item.

Decides what a valid set of answers is and its one order; refuses to know who the people are, when they
answered and which of several answers of one person counts: that needs a clock, and the caller has it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


class AnswersError(ValueError):
    """The answers can't be used. The text names the position, what is wrong with it and what to do."""


@dataclass(frozen=True, slots=True)
class Answers:
    """A answers of J annotators about I items in K classes, sorted by item, then annotator.

    Made by `gather`, which checks and sorts, so that sums over answers never depend on their order of
    arrival.
    """

    items: Integers
    annotators: Integers
    labels: Integers
    sizes: tuple[int, int, int]

    def __len__(self) -> int:
        return len(self.items)

    def count_labels(self) -> Floats:
        """Return how many annotators gave each item each class: (I, K)."""
        item_count, _, class_count = self.sizes
        cells = np.bincount(self.items * class_count + self.labels, minlength=item_count * class_count)
        return cells.reshape(item_count, class_count).astype(np.float64)


def gather(*, items: ArrayLike, annotators: ArrayLike, labels: ArrayLike, sizes: tuple[int, int, int]) -> Answers:
    """Check and sort answers: three integer arrays (A,) that index into `sizes` = (I, J, K).

    AnswersError where lengths differ, an index is out of range, or one annotator answers one item twice: a
    correction replaces its parent before it comes here, and a repeat is no second opinion.
    """
    item_count, annotator_count, class_count = sizes
    if item_count < 0 or annotator_count < 0 or class_count < 1:
        raise AnswersError(f"Sizes {sizes} can't be: items and annotators are 0 or more, classes 1 or more.")
    named = {
        "items": (_as_integers("items", items), item_count),
        "annotators": (_as_integers("annotators", annotators), annotator_count),
        "labels": (_as_integers("labels", labels), class_count),
    }
    lengths = {name: len(values) for name, (values, _) in named.items()}
    if len(set(lengths.values())) != 1:
        raise AnswersError(f"Each answer has an item, an annotator and a label, but the lengths are {lengths}.")
    for name, (values, bound) in named.items():
        _refuse_outside(name, values, bound)
    columns = [values for values, _ in named.values()]
    order = np.argsort(columns[0] * max(annotator_count, 1) + columns[1])
    answers = Answers(columns[0][order], columns[1][order], columns[2][order], sizes)
    _refuse_duplicates(answers)
    return answers


def _as_integers(name: str, values: ArrayLike) -> Integers:
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise AnswersError(
            f"`{name}` has shape {array.shape} and type {array.dtype}: give one whole number per answer."
        )
    return array.astype(np.int64)


def _refuse_outside(name: str, values: Integers, bound: int) -> None:
    wrong = np.flatnonzero((values < 0) | (values >= bound))
    if len(wrong):
        position = int(wrong[0])
        raise AnswersError(
            f"`{name}` holds {values[position]} at position {position}; valid values are 0 to {bound - 1}."
        )


def _refuse_duplicates(answers: Answers) -> None:
    same = (np.diff(answers.items) == 0) & (np.diff(answers.annotators) == 0)
    if same.any():
        position = int(np.flatnonzero(same)[0])
        raise AnswersError(
            f"Annotator {answers.annotators[position]} answers item {answers.items[position]} twice or more; "
            "pass only the answer that counts (the newest correction; a repeat is no second opinion)."
        )
