"""CROWDLAB: labels that people gave, weighed together with what a model predicts.

Decides which items can be judged at all, and asks cleanlab about those. Refuses to settle anything: it is shown beside
the consensus of the people, never instead of it.
"""

import contextlib
import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from cleanlab.multiannotator import get_label_quality_multiannotator

from learning.consensus.answers import Answers, Floats, Integers

UNJUDGED = -1

_FLOOR = 1e-6


@dataclass(frozen=True, slots=True)
class Crowdlab:
    """`labels` (I,), UNJUDGED where nothing could be said; `confidence` (I,) of them and `quality` (J,) of people, NaN
    alike. All three are shares between 0 and 1."""

    labels: Integers
    confidence: Floats
    quality: Floats


def judge(answers: Answers, *, probabilities: Floats) -> Crowdlab:
    """Weigh answers with out-of-fold `probabilities` (I, K), rows of NaN where the model predicts nothing.

    Goh, Tkachenko & Mueller (2022), CROWDLAB, arXiv:2210.06812, as cleanlab computes it. Items with one answer are
    judged with the rest; items without an answer or a prediction are not. Nobody is judged where people share no
    item, as nothing then tells how far they can be trusted. ValueError where shapes don't fit.
    """
    item_count, annotator_count, class_count = answers.sizes
    if probabilities.shape != (item_count, class_count):
        raise ValueError(
            f"Probabilities of shape {probabilities.shape} for {item_count} items in {class_count} classes."
        )
    judged = Crowdlab(
        np.full(item_count, UNJUDGED, dtype=np.int64), np.full(item_count, np.nan), np.full(annotator_count, np.nan)
    )
    answered = np.bincount(answers.items, minlength=item_count)
    rows = np.flatnonzero((answered > 0) & np.isfinite(probabilities).all(axis=1))
    votes = _tabulate(answers, rows)
    people = np.flatnonzero(~np.isnan(votes).all(axis=0))
    if len(people) < 2 or not (answered[rows] > 1).any():
        return judged
    found = _ask(votes[:, people], _spread(probabilities[rows]))
    judged.labels[rows] = found["label_quality"]["consensus_label"].to_numpy()
    judged.confidence[rows] = found["label_quality"]["consensus_quality_score"].to_numpy()
    quality = found["annotator_stats"]["annotator_quality"]
    judged.quality[people] = quality.sort_index().to_numpy()
    return judged


def _tabulate(answers: Answers, rows: Integers) -> Floats:
    """One row per item of `rows`, one column per annotator, NaN where he or she did not answer."""
    place = np.full(answers.sizes[0], -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    kept = place[answers.items] >= 0
    votes = np.full((len(rows), answers.sizes[1]), np.nan)
    votes[place[answers.items[kept]], answers.annotators[kept]] = answers.labels[kept]
    return votes


def _spread(probabilities: Floats) -> Floats:
    """No class is quite impossible: special outcomes are given by people and learned by no model."""
    lifted = np.maximum(probabilities, _FLOOR)
    return np.asarray(lifted / lifted.sum(axis=1, keepdims=True), dtype=np.float64)


def _ask(votes: Floats, probabilities: Floats) -> Mapping[str, Any]:
    # It warns where people agree on nothing and prints where a class is nobody's consensus: both are known here.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        found: Mapping[str, Any] = get_label_quality_multiannotator(
            votes, probabilities, verbose=False, return_detailed_quality=False, return_annotator_stats=True
        )
    return found
