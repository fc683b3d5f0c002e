"""Whether a candidate may take over: judged on cases it was never trained on, item by item.

Decides promotion and says why in sentences. Refuses to know studies, files, and how often it was asked.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning import metrics


@dataclass(frozen=True)
class GatePolicy:
    """Bounds of the gate. Simulated at 400 items in 40 cases (tests/benchmarks/gate.py): equal models pass
    at least 88 times in 100, models 5 points worse at most 4 times, where two models differ in being right
    on about 5% of the items, as one refit does from the next.
    """

    largest_loss: float = 0.02
    standard_errors: float = 2.0
    class_items: int = 20
    audit_items: int = 100
    audit_cases: int = 5


@dataclass(frozen=True)
class Evidence:
    """Items with a settled label and what the models said of them, none having been trained on them.

    truth (N,) class index; cases (N,); candidate and champion (N, K) probabilities, champion None
    when no model is active. For out-of-fold evidence both must be out-of-fold numbers of the same items.
    """

    truth: NDArray[np.integer]
    cases: NDArray[np.integer]
    candidate: NDArray[np.floating]
    champion: NDArray[np.floating] | None = None


@dataclass(frozen=True)
class Verdict:
    """The decision, its reasons in sentences, the numbers behind them, and what it rests on."""

    promote: bool
    reasons: list[str]
    numbers: dict[str, Any]
    basis: str


def judge(
    *,
    audit: Evidence,
    class_codes: tuple[str, ...],
    prior: NDArray[np.floating],
    out_of_fold: Evidence | None = None,
    policy: GatePolicy | None = None,
) -> Verdict:
    """Compare a candidate with the champion, or the first model with the class prior.

    Promoted when macro-F1 loses less than 2 points and no class with enough items falls by more than
    two standard errors of its recall. With too few audit items the out-of-fold evidence is taken
    instead and the verdict says so; without any evidence nothing is promoted. `prior` (K,) is the
    class share of the training set.
    """
    policy = policy or GatePolicy()
    evidence, basis, notes = _choose_evidence(audit, out_of_fold, policy)
    if len(evidence.truth) == 0:
        reason = "There is nothing to judge by: no audit item is settled and no out-of-fold estimate was given."
        return Verdict(promote=False, reasons=[*notes, reason], numbers={"items": 0}, basis=basis)
    numbers = _describe(evidence)
    if evidence.champion is None:
        promote, reasons = _judge_first(evidence, prior, numbers)
    else:
        promote, reasons = _judge_against(evidence, evidence.champion, class_codes, policy, numbers)
    return Verdict(promote=promote, reasons=[*notes, *reasons], numbers=numbers, basis=basis)


def _choose_evidence(
    audit: Evidence, out_of_fold: Evidence | None, policy: GatePolicy
) -> tuple[Evidence, str, list[str]]:
    items, cases = len(audit.truth), len(np.unique(audit.cases))
    if items >= policy.audit_items and cases >= policy.audit_cases:
        return audit, "audit", []
    found = f"{_count(items, 'audit item')} in {_count(cases, 'case')}"
    wanted = f"{policy.audit_items} in {policy.audit_cases} are needed"
    if out_of_fold is None or len(out_of_fold.truth) == 0:
        return audit, "audit", [f"Only {found}, {wanted}; there is nothing better to judge by."]
    return out_of_fold, "out-of-fold", [f"Only {found}, {wanted}; judged by out-of-fold estimates instead."]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _describe(evidence: Evidence) -> dict[str, Any]:
    return {
        "items": len(evidence.truth),
        "cases": len(np.unique(evidence.cases)),
        "candidate": _measure(evidence.truth, evidence.candidate) | _bound(evidence),
        "champion": None if evidence.champion is None else _measure(evidence.truth, evidence.champion),
    }


def _bound(evidence: Evidence) -> dict[str, float]:
    """The 95% interval of the candidate's macro-F1, by case."""
    found = metrics.estimate_interval(truth=evidence.truth, proba=evidence.candidate, cases=evidence.cases)
    return {"macro_f1_low": round(found.low, 6), "macro_f1_high": round(found.high, 6)}


def _measure(truth: NDArray[np.integer], proba: NDArray[np.floating]) -> dict[str, float]:
    confusion = _count_confusion(truth, proba)
    return {
        "macro_f1": round(float(metrics.measure_macro_f1(confusion)), 6),
        "accuracy": round(float(metrics.measure_accuracy(confusion)), 6),
        "nll": round(metrics.measure_nll(truth=truth, proba=proba), 6),
        "ece": round(metrics.measure_ece(truth=truth, proba=proba), 6),
    }


def _count_confusion(truth: NDArray[np.integer], proba: NDArray[np.floating]) -> metrics.Confusion:
    return metrics.count_confusion(truth=truth, predicted=proba.argmax(axis=1), classes=proba.shape[1])


def _judge_first(evidence: Evidence, prior: NDArray[np.floating], numbers: dict[str, Any]) -> tuple[bool, list[str]]:
    """Both in macro-F1 and in likelihood: guessing evenly wins the first, but never the second."""
    guess = np.tile(np.asarray(prior, dtype=np.float64) / np.sum(prior), (len(evidence.truth), 1))
    numbers["prior"] = _measure(evidence.truth, guess)
    own, other = numbers["candidate"], numbers["prior"]
    promote = own["macro_f1"] > other["macro_f1"] and own["nll"] < other["nll"]
    reason = (
        f"First model: macro-F1 {own['macro_f1']:.3f} and log-loss {own['nll']:.3f}, against "
        f"{other['macro_f1']:.3f} and {other['nll']:.3f} for always giving the class prior: "
        + ("it is better than guessing." if promote else "it is not better than guessing.")
    )
    return promote, [reason]


def _judge_against(
    evidence: Evidence,
    champion: NDArray[np.floating],
    class_codes: tuple[str, ...],
    policy: GatePolicy,
    numbers: dict[str, Any],
) -> tuple[bool, list[str]]:
    difference = metrics.estimate_difference(
        truth=evidence.truth,
        baseline=champion,
        candidate=evidence.candidate,
        cases=evidence.cases,
    )
    numbers["difference"] = {
        "macro_f1": round(difference.value, 6),
        "low": round(difference.low, 6),
        "high": round(difference.high, 6),
    }
    holds = difference.value > -policy.largest_loss
    reasons = [
        f"Macro-F1 {numbers['candidate']['macro_f1']:.3f} against {numbers['champion']['macro_f1']:.3f} of the active "
        f"model: {difference.value:+.3f} (95% interval {difference.low:+.3f} to {difference.high:+.3f}, by case); "
        + (
            f"a loss below {policy.largest_loss} is accepted."
            if holds
            else f"a loss of {policy.largest_loss} or more is not."
        )
    ]
    fallen = _find_fallen(evidence, champion, class_codes, policy, numbers)
    return holds and not fallen, reasons + fallen


def _find_fallen(
    evidence: Evidence,
    champion: NDArray[np.floating],
    class_codes: tuple[str, ...],
    policy: GatePolicy,
    numbers: dict[str, Any],
) -> list[str]:
    """Sentences about classes whose recall fell by more than two standard errors of the champion's recall."""
    old = metrics.measure_recall(_count_confusion(evidence.truth, champion))
    new = metrics.measure_recall(_count_confusion(evidence.truth, evidence.candidate))
    counts = np.bincount(evidence.truth, minlength=len(class_codes))
    fallen, table = [], {}
    for index in np.flatnonzero(counts >= policy.class_items):
        error = estimate_standard_error(recall=float(old[index]), items=int(counts[index]))
        code, drop = class_codes[index], float(old[index] - new[index])
        table[code] = {
            "champion": round(float(old[index]), 6),
            "candidate": round(float(new[index]), 6),
            "standard_error": round(error, 6),
        }
        if drop > policy.standard_errors * error:
            fallen.append(
                f"Recall of {code} falls from {old[index]:.3f} to {new[index]:.3f} on {counts[index]} items, "
                f"more than {policy.standard_errors:g} standard errors ({error:.3f})."
            )
    numbers["recall"] = table
    return fallen


def estimate_standard_error(*, recall: float, items: int) -> float:
    """Standard error of a recall, with two successes and two failures added (Agresti and Coull 1998).

    Without them a perfect recall would have no error at all, and one miss would sink any candidate.
    """
    smoothed = (recall * items + 2) / (items + 4)
    return float(np.sqrt(smoothed * (1 - smoothed) / (items + 4)))
