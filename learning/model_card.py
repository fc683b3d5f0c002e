"""Whether a model may go out with a dataset, and what is said of it: judged beside people, on cases it had no part in.

The bar is an idea of Segebarth, Griebel et al. (eLife 2020;9:e59780): a model is accepted only where it is not worse
than the worst person against the estimated truth. People helped to make that truth, so the bar leans towards them.
Decides acceptance and says why; refuses to know studies, files and how the model was trained.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning import metrics
from learning.metrics import Interval

Integers = NDArray[np.integer]
_PLACES = 6


@dataclass(frozen=True)
class CardPolicy:
    """How much there must be to judge by: regions and cases in all, and answers of a person before he or she counts."""

    items: int = 30
    cases: int = 5
    answers: int = 10


@dataclass(frozen=True)
class Shown:
    """Settled regions that neither training nor gate had seen, and what the model and people said of them.

    truth (N,) class index, cases (N,), domains (N,) names, proba (N, K). `people`: name -> (rows (A,), labels (A,)) of
    that person's own answers; a label outside 0..K-1 is an outcome that is never right here. `weight` (N,) is what each
    region stands for (`learning.sampling`), None where all are alike.
    """

    truth: Integers
    cases: Integers
    domains: Sequence[str]
    proba: NDArray[np.floating]
    people: Mapping[str, tuple[Integers, Integers]]
    weight: NDArray[np.floating] | None = None


def judge(shown: Shown, *, class_codes: Sequence[str], policy: CardPolicy | None = None) -> dict[str, Any]:
    """The card as JSON values: `accepted`, `reason` as a sentence and, where there was enough to judge by, numbers.

    All intervals are 95% and take whole cases as drawn. A person is compared with the model on the regions that he or
    she answered; the worst is who was right least often.
    """
    policy = policy or CardPolicy()
    items, cases = len(shown.truth), len(np.unique(shown.cases))
    if items < policy.items or cases < policy.cases:
        reason = (
            f"Only {items} regions in {cases} cases of the audit's report half are settled; {policy.items} in "
            f"{policy.cases} are needed to say what the model is worth."
        )
        return {"accepted": False, "reason": reason, "items": items, "cases": cases}
    numbers = {"items": items, "cases": cases, **_measure(shown, class_codes)}
    worst = _find_worst(shown, policy)
    if worst is None:
        reason = f"Nobody answered {policy.answers} of these regions, so there is nobody to compare the model with."
        return {"accepted": False, "reason": reason, **numbers}
    accepted = worst["model"][0] >= worst["person"][0]
    reason = (
        f"On the {worst['answers']} regions that {worst['name']} answered, the model is right in "
        f"{worst['model'][0]:.1%} and {worst['name']}, the worst of {worst['people']} people, in "
        f"{worst['person'][0]:.1%}: "
        + ("not worse, so it is accepted." if accepted else "it is worse, so it is not released.")
    )
    return {"accepted": accepted, "reason": reason, **numbers, "worst": worst}


def _measure(shown: Shown, class_codes: Sequence[str]) -> dict[str, Any]:
    """All of it, by class and by domain."""
    everything = np.ones(len(shown.truth), dtype=bool)
    predicted = shown.proba.argmax(axis=1)
    per_class = {}
    for index, code in enumerate(class_codes):
        here = shown.truth == index
        if here.any():
            per_class[code] = {"items": int(here.sum()), "recall": _share(shown, shown.proba, here)}
    for index, code in enumerate(class_codes):
        called = predicted == index
        if code in per_class:
            per_class[code]["precision"] = _share(shown, shown.proba, called) if called.any() else None
    names = np.array(shown.domains)
    domains = {
        name: {"items": int((names == name).sum()), "right": _share(shown, shown.proba, names == name)}
        for name in sorted(set(shown.domains))
    }
    macro = metrics.estimate_interval(truth=shown.truth, proba=shown.proba, cases=shown.cases, weight=shown.weight)
    return {
        "right": _share(shown, shown.proba, everything),
        "macro_f1": _rounded(macro),
        "nll": round(metrics.measure_nll(truth=shown.truth, proba=shown.proba, weight=shown.weight), _PLACES),
        "ece": round(metrics.measure_ece(truth=shown.truth, proba=shown.proba, weight=shown.weight), _PLACES),
        "per_class": per_class,
        "domains": domains,
    }


def _find_worst(shown: Shown, policy: CardPolicy) -> dict[str, Any] | None:
    """Who was right least often, of those who answered enough; of two alike the first by name."""
    classes = shown.proba.shape[1]
    found = []
    for name, (rows, labels) in sorted(shown.people.items()):
        if len(rows) < policy.answers:
            continue
        # One more column for what is never right, so that it counts as a wrong answer.
        said = np.zeros((len(shown.truth), classes + 1))
        said[rows, np.where((labels >= 0) & (labels < classes), labels, classes)] = 1.0
        here = np.zeros(len(shown.truth), dtype=bool)
        here[rows] = True
        person, model = _share(shown, said, here), _share(shown, shown.proba, here)
        found.append({"name": name, "answers": len(rows), "person": person, "model": model})
    if not found:
        return None
    return {**min(found, key=lambda one: one["person"][0]), "people": len(found)}


def _share(shown: Shown, proba: NDArray[np.floating], here: NDArray[np.bool_]) -> list[float]:
    """Share right of some rows, with its interval: value, low, high."""
    return _rounded(
        metrics.estimate_interval(
            truth=shown.truth[here],
            proba=proba[here],
            cases=shown.cases[here],
            measure=metrics.measure_accuracy,
            weight=None if shown.weight is None else shown.weight[here],
        )
    )


def _rounded(found: Interval) -> list[float]:
    return [round(float(value), _PLACES) for value in (found.value, found.low, found.high)]
