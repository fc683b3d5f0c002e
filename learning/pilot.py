"""What ranking saves: models of a pilot's ranked half against models of its random half, at equal numbers of labels.

Decides how both are judged and how sure one can be: the interval redraws the regions of each half as well as the cases
that judge, or two halves drawn alike would be told apart in every third pilot. Refuses to know studies, and which half
is to win.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from learning import metrics
from learning.models.folds import assign_folds
from learning.models.heads import fit_head

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

FEWEST = 20
"""Labels of each half below which no model is worth comparing."""
_SIZES = 4
_FOLDS = 5
_PARTS, _REDRAWN = 4, 12
_REDRAWS = 1000
_PLACES = 4


@dataclass(frozen=True)
class Half:
    """One half: features (N, D), labels and cases (N,), and how many answers each region took (N,)."""

    features: NDArray[np.floating]
    labels: Integers
    cases: Integers
    answers: Integers

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Judges:
    """Regions that neither half holds, of cases that neither half holds: features (N, D), labels and cases (N,)."""

    features: NDArray[np.floating]
    labels: Integers
    cases: Integers


@dataclass(frozen=True)
class Comparison:
    """Each bounded number is value, low, high (95%); `saved` is the share of answers that ranking saves, negative
    where it costs some. `curve` rows: labels, answers and macro-F1 of the ranked half, then both of the random one.
    """

    basis: str
    items: int
    cases: int
    labels: int
    ranked: list[float]
    random: list[float]
    difference: list[float]
    saved: list[float]
    curve: list[list[float]]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def compare(*, ranked: Half, random: Half, judges: Judges | None, classes: int, seed: int) -> Comparison | None:
    """Train heads on growing equal parts of each half and judge all of them alike; None where a half is too small.

    Each part is drawn from its half a few times, so that no curve hangs on a lucky handful. Without `judges` the random
    half judges, as it is drawn like the pool: each of its regions by heads that saw none of its case, in either half.
    Answers saved are read off the curves: where one half ends lower, how many answers the other one, its curve made
    monotone, takes to that score. A half that is there with its smallest part saves at least so much.
    """
    count = min(len(ranked), len(random))
    if count < FEWEST:
        return None
    sizes = np.unique(np.linspace(count / _SIZES, count, _SIZES).round().astype(np.int64))
    shown = judges or Judges(random.features, random.labels, random.cases)
    with threadpool_limits(limits=1, user_api="blas"):
        said = _predict((ranked, random), sizes, judges, shown, classes=classes, seed=seed)
    by_case = _count_by_case(shown, said, classes)
    paid = np.stack([sizes * half.answers.mean() for half in (ranked, random)])
    whole = metrics.measure_macro_f1(by_case[:, :, :, :_PARTS].sum(axis=(0, 3)))
    redrawn = metrics.measure_macro_f1(_redraw(by_case[:, :, :, _PARTS:], seed))
    curve = np.column_stack([sizes, paid[0], whole[0], paid[1], whole[1]])
    return Comparison(
        basis="audit" if judges is not None else "out-of-fold",
        items=len(shown.labels),
        cases=len(by_case),
        labels=count,
        ranked=_bound(whole[0, -1], redrawn[:, 0, -1]),
        random=_bound(whole[1, -1], redrawn[:, 1, -1]),
        difference=_bound(whole[0, -1] - whole[1, -1], redrawn[:, 0, -1] - redrawn[:, 1, -1]),
        saved=_bound(_save(whole, paid), np.array([_save(one, paid) for one in redrawn])),
        curve=np.round(curve, _PLACES).tolist(),
    )


def _predict(
    halves: tuple[Half, Half], sizes: Integers, judges: Judges | None, shown: Judges, *, classes: int, seed: int
) -> Integers:
    """The class that each head gives each judging region: (halves, sizes, draws, N).

    The first draws are parts of a half, the rest regions of it drawn with replacement.
    """
    said = np.zeros((2, len(sizes), _PARTS + _REDRAWN, len(shown.labels)), dtype=np.int64)
    folds, judging = _hold_out(halves, judges, shown, classes=classes, seed=seed)
    rng = np.random.default_rng(seed)
    for number, half in enumerate(halves):
        for draw in range(_PARTS + _REDRAWN):
            count = len(half)
            order = rng.permutation(count) if draw < _PARTS else rng.integers(0, count, size=count)
            for place, size in enumerate(sizes):
                rows = order[:size]
                for held in np.unique(judging):
                    kept, here = rows[folds[number][rows] != held], judging == held
                    if len(kept):
                        head = fit_head(features=half.features[kept], labels=half.labels[kept], classes=classes)
                        logits = shown.features[here].astype(np.float32) @ head.weights + head.bias
                        said[number, place, draw, here] = logits.argmax(axis=1)
    return said


def _hold_out(
    halves: tuple[Half, Half], judges: Judges | None, shown: Judges, *, classes: int, seed: int
) -> tuple[list[Integers], Integers]:
    """Folds of each half's regions and of those that judge: a head judges only the fold that it has not seen."""
    if judges is not None:
        return [np.zeros(len(half), dtype=np.int64) for half in halves], np.ones(len(shown.labels), dtype=np.int64)
    cases, labels = (np.concatenate([getattr(half, name) for half in halves]) for name in ("cases", "labels"))
    fold = assign_folds(labels=labels, groups=cases, classes=classes, folds=_FOLDS, seed=seed)
    return [fold[: len(halves[0])], fold[len(halves[0]) :]], fold[len(halves[0]) :]


def _count_by_case(shown: Judges, said: Integers, classes: int) -> Floats:
    """Confusions (cases, halves, sizes, draws, K, K)."""
    names, case_of = np.unique(shown.cases, return_inverse=True)
    found = np.zeros((len(names), *said.shape[:3], classes, classes))
    for number, place, draw in np.ndindex(*said.shape[:3]):
        np.add.at(found[:, number, place, draw], (case_of, shown.labels, said[number, place, draw]), 1.0)
    return found


def _redraw(by_case: Floats, seed: int) -> Floats:
    """Confusions (B, halves, sizes, K, K) of whole cases drawn anew, each half's heads from one of its redraws."""
    cases, draws = by_case.shape[0], by_case.shape[3]
    rng = np.random.default_rng(seed)
    found = np.empty((_REDRAWS, *by_case.shape[1:3], *by_case.shape[4:]))
    for one in range(_REDRAWS):
        times = np.bincount(rng.integers(0, cases, size=cases), minlength=cases).astype(np.float64)
        for half, draw in enumerate(rng.integers(0, draws, size=2)):
            found[one, half] = np.tensordot(times, by_case[:, half, :, draw], axes=1)
    return found


def _save(scores: Floats, paid: Floats) -> float:
    """Share of answers saved, from scores (2, S) of the ranked and the random half and what each size cost (2, S).

    The half that ends lower has paid all its answers for that score; the other one reached it with fewer.
    """
    needed = paid[:, -1].copy()
    better = int(scores[1, -1] > scores[0, -1])
    rising = isotonic_regression(scores[better]).x
    needed[better] = _reach(rising, paid[better], float(scores[:, -1].min()))
    return float(1 - needed[0] / needed[1])


def _reach(rising: Floats, paid: Floats, goal: float) -> float:
    """Answers until a rising curve has reached `goal`, straight between its points."""
    at = int(np.searchsorted(rising, goal, side="left"))
    if at in (0, len(rising)):
        return float(paid[min(at, len(rising) - 1)])
    share = (goal - rising[at - 1]) / (rising[at] - rising[at - 1])
    return float(paid[at - 1] + share * (paid[at] - paid[at - 1]))


def _bound(value: float, redrawn: Floats) -> list[float]:
    low, high = np.quantile(redrawn, [0.025, 0.975])
    return [round(float(one), _PLACES) for one in (value, low, high)]
