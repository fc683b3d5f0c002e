"""What is believed of an annotator, and of the classes, before any answer.

Decides the pseudo-counts that Dawid-Skene adds to what it counts and the confusion matrix of somebody
unknown; refuses to know any answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from learning.consensus.answers import Floats
from learning.consensus.hierarchy import families_of

# Of right answers, those believed to name a parent, or of an undecidable parent one of its kinds.
_KIN = 0.25


@dataclass(frozen=True, slots=True)
class Priors:
    """Dirichlet pseudo-counts, in answers: what is added to each count before it becomes a share.

    `diagonal` for a right answer, `off_diagonal` for each wrong one, per row of a confusion matrix;
    `classes` for each class in the prior over classes. All zero is the textbook estimate of Dawid & Skene
    (1979).

    With `parents` (`hierarchy`) a part of `diagonal` lies on the classes above and below: who names the parent of
    a kind is less specific, not wrong. Rows keep their sums.
    """

    diagonal: float
    off_diagonal: float
    classes: float
    parents: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        values = (self.diagonal, self.off_diagonal, self.classes)
        if not all(np.isfinite(value) and value >= 0 for value in values):
            raise ValueError(f"Pseudo-counts are zero or more, but these are {values}.")

    def confusion_counts(self, class_count: int) -> Floats:
        """Return the pseudo-counts of one annotator: (K, K), row = truth, column = answer."""
        counts = np.full((class_count, class_count), self.off_diagonal)
        np.fill_diagonal(counts, self.diagonal)
        if self.parents:
            families = families_of(self.parents)
            kin = (families | families.T) & ~np.eye(class_count, dtype=bool)
            number = kin.sum(axis=1, keepdims=True)
            moved = np.where(number > 0, _KIN * self.diagonal, 0.0)
            counts += kin * moved / np.maximum(number, 1) - np.diag(moved[:, 0])
        return counts


TEXTBOOK = Priors(diagonal=0.0, off_diagonal=0.0, classes=0.0)


def expect_accuracy(
    class_count: int, *, accuracy: float = 0.8, strength: float = 10.0, parents: Sequence[int] = ()
) -> Priors:
    """Return priors worth `strength` answers per class, right at the rate `accuracy`, errors spread evenly.

    The defaults were best, or level with the best, in simulated studies of 300 to 1,200 items, 7 to 13
    unequal classes, 4 to 8 annotators of skill 0.70 to 0.85 and one to three answers each
    (docs/adr/0005-consensus.md).
    """
    if not (0 < accuracy < 1 and strength > 0):
        raise ValueError(f"An accuracy of {accuracy} and strength of {strength}: between 0 and 1, and above 0.")
    wrong = strength * (1 - accuracy) / max(class_count - 1, 1)
    return Priors(diagonal=strength * accuracy, off_diagonal=wrong, classes=1.0, parents=tuple(parents))


def default_confusion(class_count: int, *, priors: Priors | None = None) -> Floats:
    """Return the confusion matrix (K, K) assumed of an annotator without answers: the mean of the prior."""
    counts = (priors or expect_accuracy(class_count)).confusion_counts(class_count)
    return normalise_rows(counts)


def normalise_rows(counts: Floats, *, even: Floats | None = None) -> Floats:
    """Return counts (..., K) as shares; a row without any count says nothing, so it has the shares `even`
    (None: all classes alike)."""
    totals = counts.sum(axis=-1, keepdims=True)
    alike = np.full_like(counts, 1.0 / counts.shape[-1])
    shares = alike if even is None else np.broadcast_to(even, counts.shape).copy()
    np.divide(counts, totals, out=shares, where=totals > 0)
    return shares
