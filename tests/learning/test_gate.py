from dataclasses import replace

import numpy as np
import pytest

from learning import gate
from tests.benchmarks.gate import CODES, FREQUENCY, World, count_promotions


def draw(*, loss: float = 0.0, seed: int = 0, items: int = 400) -> gate.Evidence:
    return World(shared=0.9, items=items).draw(loss=loss, generator=np.random.default_rng(seed))


def judge(audit: gate.Evidence, **kwargs: object) -> gate.Verdict:
    return gate.judge(audit=audit, class_codes=CODES, prior=FREQUENCY, **kwargs)  # type: ignore[arg-type]


def test_same_model_is_promoted_with_its_numbers() -> None:
    evidence = draw()
    assert evidence.champion is not None
    verdict = judge(replace(evidence, candidate=evidence.champion))
    assert verdict.promote
    assert verdict.basis == "audit"
    assert verdict.numbers["difference"]["macro_f1"] == 0.0
    assert "+0.000" in verdict.reasons[0]


def test_much_worse_model_is_rejected_with_the_loss_in_words() -> None:
    verdict = judge(draw(loss=0.15))
    assert not verdict.promote
    assert "a loss of 0.02 or more is not." in verdict.reasons[0]


def test_class_that_falls_alone_rejects_though_the_mean_holds() -> None:
    """All of monocyte's answers become wrong in one of four, everything else becomes right."""
    evidence = draw()
    assert evidence.champion is not None
    candidate = np.eye(6)[evidence.truth] * 0.9 + 0.1 / 6
    monocytes = np.flatnonzero(evidence.truth == 2)
    lost = monocytes[: int(0.45 * len(monocytes))]
    candidate[lost] = np.eye(6)[0] * 0.9 + 0.1 / 6
    verdict = judge(replace(evidence, candidate=candidate))
    assert verdict.numbers["difference"]["macro_f1"] > 0
    assert not verdict.promote
    assert any(reason.startswith("Recall of monocyte falls from") for reason in verdict.reasons)


def test_class_with_few_items_cannot_reject() -> None:
    evidence = draw()
    assert evidence.champion is not None
    few = np.flatnonzero(evidence.truth == 5)
    candidate = np.eye(6)[evidence.truth] * 0.9 + 0.1 / 6
    candidate[few] = np.eye(6)[0]
    strict, lenient = gate.GatePolicy(class_items=5), gate.GatePolicy(class_items=len(few) + 1)
    changed = replace(evidence, candidate=candidate)
    assert any("basophil" in reason for reason in judge(changed, policy=strict).reasons)
    assert not any("basophil" in reason for reason in judge(changed, policy=lenient).reasons)


def test_first_model_must_beat_the_class_prior() -> None:
    evidence = replace(draw(), champion=None)
    good = judge(evidence)
    assert good.promote
    assert "better than guessing" in good.reasons[0]
    even = np.random.default_rng(0).dirichlet(np.full(6, 50.0), 400)
    bad = judge(replace(evidence, candidate=even))
    assert not bad.promote
    assert "not better than guessing" in bad.reasons[0]


def test_too_few_audit_items_are_said_and_out_of_fold_decides() -> None:
    few = draw(items=30, loss=0.3)
    verdict = judge(few, out_of_fold=draw(loss=-0.02))
    assert verdict.promote
    assert verdict.basis == "out-of-fold"
    assert verdict.reasons[0].startswith("Only 30 audit items in")
    assert "judged by out-of-fold estimates instead" in verdict.reasons[0]


def test_without_any_evidence_nothing_is_promoted() -> None:
    empty = gate.Evidence(truth=np.empty(0, dtype=int), cases=np.empty(0, dtype=int), candidate=np.empty((0, 6)))
    verdict = judge(empty)
    assert not verdict.promote
    assert "nothing to judge by" in verdict.reasons[-1]


@pytest.mark.parametrize(("loss", "low", "high"), [(0.0, 0.85, 1.0), (0.05, 0.0, 0.06)])
def test_promotion_rates_are_near_those_promised(loss: float, low: float, high: float) -> None:
    rate = count_promotions(loss=loss, runs=120, seed=3, world=World(shared=0.9))
    assert low <= rate <= high
