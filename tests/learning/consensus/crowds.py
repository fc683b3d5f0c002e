"""Made-up crowds: known truth, known confusion matrices, answers drawn from them."""

from dataclasses import dataclass

import numpy as np

from learning.consensus.answers import Answers, Floats, Integers, gather


@dataclass(frozen=True)
class Crowd:
    """Answers with the truth (I,) and confusion (J, K, K) they were drawn from."""

    answers: Answers
    truth: Integers
    confusion: Floats


def draw_crowd(
    *, seed: int, items: int, annotators: int, classes: int, overlap: tuple[int, int], skill: float
) -> Crowd:
    """Draw classes of unequal frequency (25 to 1), annotators who differ in skill and in their mistakes."""
    rng = np.random.default_rng(seed)
    share = np.geomspace(1, 0.04, classes)
    truth = rng.choice(classes, items, p=share / share.sum())
    confusion = np.zeros((annotators, classes, classes))
    for annotator in range(annotators):
        for label in range(classes):
            right = np.clip(rng.normal(skill, 0.08), 0.3, 0.98)
            wrong = rng.dirichlet(np.full(classes - 1, 0.4)) * (1 - right)
            confusion[annotator, label] = np.insert(wrong, label, right)
    sizes = rng.integers(overlap[0], overlap[1] + 1, items)
    who = np.concatenate([rng.permutation(annotators)[:size] for size in sizes])
    what = np.repeat(np.arange(items), sizes)
    reached = confusion[who, truth[what]].cumsum(axis=1) < rng.random(len(what))[:, None]
    labels = reached.sum(axis=1).clip(0, classes - 1)
    answers = gather(items=what, annotators=who, labels=labels, sizes=(items, annotators, classes))
    return Crowd(answers, truth, confusion)
