"""Dawid-Skene without priors beside crowd-kit's, on made-up and on real votes.

What had to be equalised: the number of rounds (crowd-kit stops by its own bound on the likelihood), the moment (its
confusion matrices are one M-step later than its posteriors), and its clip. It lifts every count below 1e-10 to 1e-10,
where the paper has zero: a class that the paper has ruled out for an item can come back, and does within some tens of
rounds where people share few items. `clip` lowers that to where it can't; without it the two agree before and apart
from such returns. Where the paper divides zero by zero (nobody's truth k among an annotator's items) both take equal
shares of the labels that the annotator ever gave.
"""

import csv
from pathlib import Path

import numpy as np
import pytest

from learning.consensus import Answers, dawid_skene, gather
from learning.consensus.priors import TEXTBOOK
from tests.learning.consensus.crowds import draw_crowd
from tests.learning.consensus.test_dawid_skene import textbook

oracle = pytest.importorskip(
    "crowdkit.aggregation.classification.dawid_skene",
    reason="crowd-kit is not installed: pip install -r requirements-oracles.txt",
    exc_type=ImportError,
)
import pandas  # noqa: E402 - comes with the oracle, and only with it

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

SHAPES = [
    {"items": 150, "annotators": 4, "classes": 3, "overlap": (4, 4), "skill": 0.75},
    {"items": 300, "annotators": 12, "classes": 5, "overlap": (2, 6), "skill": 0.7},
    {"items": 200, "annotators": 3, "classes": 2, "overlap": (1, 3), "skill": 0.8},
    {"items": 500, "annotators": 8, "classes": 12, "overlap": (1, 8), "skill": 0.6},
]
FEW_SHARED = {"items": 400, "annotators": 9, "classes": 7, "overlap": (1, 4), "skill": 0.8}
ROUNDS = 100
VOTES = "data/multi_expert_labels_htt_stils/pilotHTT.csv"


@pytest.fixture
def clip(monkeypatch):
    monkeypatch.setattr(oracle, "_EPS", 1e-300)


def ask_oracle(answers: Answers, rounds: int):
    """Posterior (I, K), confusion (J, K, K), prior (K,) of crowd-kit after `rounds`."""
    rows = pandas.DataFrame({"task": answers.items, "worker": answers.annotators, "label": answers.labels})
    fitted = oracle.DawidSkene(n_iter=rounds, tol=-np.inf).fit(rows)
    item_count, annotator_count, class_count = answers.sizes
    classes = range(class_count)
    posterior = fitted.probas_.reindex(index=range(item_count), columns=classes).fillna(0).to_numpy()
    confusion = np.zeros((annotator_count, class_count, class_count))
    for (annotator, label), row in fitted.errors_.reindex(columns=classes).fillna(0).iterrows():
        confusion[annotator, :, label] = row
    return posterior, confusion, fitted.priors_.reindex(classes).fillna(0).to_numpy()


def ask_ours(answers: Answers, rounds: int):
    """The same of ours; the matrices of a fit are those its posterior was made with, so they take one round more."""
    fitted = dawid_skene.fit(answers, priors=TEXTBOOK, max_iterations=rounds, tolerance=-np.inf)
    later = dawid_skene.fit(answers, priors=TEXTBOOK, max_iterations=rounds + 1, tolerance=-np.inf)
    return fitted.posterior, later.confusion, later.prior


def differ(ours, theirs) -> list[float]:
    return [float(np.abs(one - other).max()) for one, other in zip(ours, theirs, strict=True)]


def read_votes(path: Path) -> Answers:
    """The first vote of each reader on each region of the HTT set; `labelROI` is the class."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["createDate"])
    first: dict[tuple[str, str], str] = {}
    for row in rows:
        first.setdefault((row["caseID"], row["readerID"]), row["labelROI"])
    names = [sorted(set(values)) for values in (*zip(*first, strict=True), first.values())]
    items, readers, labels = ({name: index for index, name in enumerate(values)} for values in names)
    return gather(
        items=[items[region] for region, _ in first],
        annotators=[readers[reader] for _, reader in first],
        labels=[labels[label] for label in first.values()],
        sizes=(len(items), len(readers), len(labels)),
    )


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("shape", [*SHAPES, FEW_SHARED], ids=lambda shape: "-".join(str(one) for one in shape.values()))
def test_random_votes_give_what_crowd_kit_gives(shape, seed, clip):
    answers = draw_crowd(seed=seed, **shape).answers
    found = differ(ask_ours(answers, ROUNDS), ask_oracle(answers, ROUNDS))
    print(shape, found)
    assert max(found) < 1e-6


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "-".join(str(one) for one in shape.values()))
def test_so_do_they_by_crowd_kit_as_it_is_where_nothing_ruled_out_returns(shape):
    answers = draw_crowd(seed=0, **shape).answers
    found = differ(ask_ours(answers, 10), ask_oracle(answers, 10))
    print(shape, found)
    assert max(found) < 1e-6


def test_where_a_class_returns_from_the_clip_ours_stays_with_the_paper():
    answers = draw_crowd(seed=1, **FEW_SHARED).answers
    expected, _, _ = textbook(answers, iterations=ROUNDS)
    ours, _, _ = ask_ours(answers, ROUNDS)
    theirs, _, _ = ask_oracle(answers, ROUNDS)
    np.testing.assert_allclose(ours, expected, atol=1e-9)
    assert np.abs(theirs - expected).max() > 0.5


@pytest.mark.parametrize("rounds", [5, 30, ROUNDS])
def test_real_votes_give_what_crowd_kit_gives(shared, rounds):
    """Thirty-seven readers of 640 regions, without any change to crowd-kit."""
    answers = read_votes(shared / VOTES)
    assert (answers.sizes, len(answers)) == ((640, 37, 4), 7597)
    found = differ(ask_ours(answers, rounds), ask_oracle(answers, rounds))
    print(rounds, found)
    assert max(found) < 1e-6
