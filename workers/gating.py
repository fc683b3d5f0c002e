"""What the gate is shown: two models' answers about the same items, none of which either was trained on.

Decides which items are comparable and lines up classes by code; refuses to judge: that is `learning.gate`.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.models import GroundTruthRevision, ModelVersion, Study
from annotation.states import AuditHalf
from learning import gate, growth, metrics, registry
from learning.gate import Evidence, GatePolicy, Verdict
from learning.registry import StoredModel
from workers import bridge, estimates, files
from workers.bridge import Examples

Proba = NDArray[np.float32]


def judge(*, study: Study, model: ModelVersion, champion: ModelVersion | None, examples: Examples) -> Verdict:
    """The gate's verdict over `model`, trained on `examples`, against the study's active model, if any."""
    candidate = registry.load(files.models_folder(), model.digest)
    held = registry.load(files.models_folder(), champion.digest) if champion else None
    codes = tuple(model.class_codes)
    audit, audit_domains = _audit_evidence(study, candidate, held, model, champion)
    folds, fold_domains = _out_of_fold_evidence(examples, candidate, held, champion)
    verdict = gate.judge(
        audit=audit,
        out_of_fold=folds,
        class_codes=codes,
        prior=np.bincount(examples.labels, minlength=len(codes)).astype(np.float64),
        policy=GatePolicy(audit_items=study.policy.gate_min_items),
    )
    if verdict.basis == "audit":
        shown, domains = audit, audit_domains
        everywhere = estimates.by_audit(
            study, truth=audit.truth, proba=audit.candidate, cases=audit.cases, domains=audit_domains
        )
    else:
        shown, domains = folds, fold_domains
        everywhere = estimates.by_chance_picks(study, examples=examples, found=candidate.ensemble.out_of_fold)
    told = {"domains": _describe_domains(shown, domains), "everywhere": everywhere}
    return replace(verdict, numbers={**verdict.numbers, **told})


def measure_growth(model: ModelVersion) -> dict[str, Any] | None:
    """What `model` has gained over the newest model that was in use with half its labels or fewer, as JSON values.

    On the gate half of the audit sample; None where there is no such model, or nothing that both can be asked. It
    steers nothing, so it spends nothing of that half's validity.
    """
    now = len(model.training_set.revision_ids)
    used = ModelVersion.objects.filter(study=model.study, number__lt=model.number, activated_at__isnull=False)
    fewer = used.filter(training_set__revision_ids__len__lte=now // 2)
    earlier = fewer.select_related("training_set").order_by("-number").first()
    if earlier is None:
        return None
    try:
        stored, held = (registry.load(files.models_folder(), one.digest) for one in (model, earlier))
    except registry.RegistryError:
        # The earlier one's file was lost; nothing else needs it.
        return None
    evidence, _ = _audit_evidence(model.study, stored, held, model, earlier)
    if not len(evidence.truth):
        return None
    return growth.compare(evidence, before=len(earlier.training_set.revision_ids), now=now).to_json()


def _describe_domains(evidence: Evidence, domains: list[str]) -> dict[str, dict[str, float]]:
    """Domain -> items, cases, and the share of which the candidate's first choice was right, with its interval by case.

    For people, not for the verdict.
    """
    names = np.array(domains)
    found = {}
    for name in sorted(set(domains)):
        here = names == name
        share = metrics.estimate_interval(
            truth=evidence.truth[here],
            proba=evidence.candidate[here],
            cases=evidence.cases[here],
            measure=metrics.measure_accuracy,
        )
        found[name] = {
            "items": int(here.sum()),
            "cases": len(np.unique(evidence.cases[here])),
            "right": round(share.value, 6),
            "low": round(share.low, 6),
            "high": round(share.high, 6),
        }
    return found


def _audit_evidence(
    study: Study,
    candidate: StoredModel,
    held: StoredModel | None,
    model: ModelVersion,
    champion: ModelVersion | None,
) -> tuple[Evidence, list[str]]:
    """What both models say of the gate half of the audit sample, and the domain of each item."""
    audit = bridge.read_examples(study, encoder_digest=model.encoder_digest, audit_half=AuditHalf.GATE)
    new = _predict(candidate, audit)
    if champion is None or held is None:
        return Evidence(truth=audit.labels, cases=audit.cases, candidate=new), audit.domains
    other = audit
    if champion.encoder_digest != model.encoder_digest:
        other = bridge.read_examples(study, encoder_digest=champion.encoder_digest, audit_half=AuditHalf.GATE)
    old = _line_up(_predict(held, other), bridge.codes_today(champion), candidate.class_codes)
    mine, theirs = _intersect([name for name, _ in audit.names], [name for name, _ in other.names])
    evidence = Evidence(truth=audit.labels[mine], cases=audit.cases[mine], candidate=new[mine], champion=old[theirs])
    return evidence, [audit.domains[row] for row in mine]


def _out_of_fold_evidence(
    examples: Examples, candidate: StoredModel, held: StoredModel | None, champion: ModelVersion | None
) -> tuple[Evidence, list[str]]:
    """Items of both training sets, each answered by the member that had not seen its case, and their domains."""
    new = candidate.ensemble.out_of_fold
    if champion is None or held is None:
        rows = np.flatnonzero(new.is_known)
        alone = Evidence(truth=examples.labels[rows], cases=examples.cases[rows], candidate=new.proba[rows])
        return alone, [examples.domains[row] for row in rows]
    old = held.ensemble.out_of_fold
    mine, theirs = _intersect([name for name, _ in examples.names], _training_regions(champion))
    both = new.is_known[mine] & old.is_known[theirs]
    mine, theirs = mine[both], theirs[both]
    evidence = Evidence(
        truth=examples.labels[mine],
        cases=examples.cases[mine],
        candidate=new.proba[mine],
        champion=_line_up(old.proba[theirs], bridge.codes_today(champion), candidate.class_codes),
    )
    return evidence, [examples.domains[row] for row in mine]


def _training_regions(model: ModelVersion) -> list[str]:
    """Public ids of the regions a model was trained on, in the order of its rows."""
    revisions = GroundTruthRevision.objects.filter(pk__in=model.training_set.revision_ids)
    names = dict(revisions.values_list("pk", "region__public_id"))
    return [names[revision] for revision in model.training_set.revision_ids]


def _predict(stored: StoredModel, examples: Examples) -> Proba:
    if not len(examples):
        return np.empty((0, len(stored.class_codes)), dtype=np.float32)
    return stored.ensemble.mean_proba(examples.features)


def _line_up(proba: Proba, codes: tuple[str, ...], wanted: tuple[str, ...]) -> Proba:
    """Columns in the order of `wanted`: classes that have merged since add up, and one not known has probability 0."""
    if codes == wanted:
        return proba
    lined = np.zeros((len(proba), len(wanted)), dtype=np.float32)
    for column, code in enumerate(codes):
        if code in wanted:
            lined[:, wanted.index(code)] += proba[:, column]
    return lined


def _intersect(mine: list[str], theirs: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions in both lists of the names that are in both, in the order of `mine`."""
    where = {name: position for position, name in enumerate(theirs)}
    pairs = [(position, where[name]) for position, name in enumerate(mine) if name in where]
    both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]
