"""How good a study's settled truth is against what is known, and how it got there.

Decides the figures of a report; refuses to steer anything by them.
"""

from collections import Counter
from typing import Any

from annotation.models import Annotation, Finding, Job, ModelVersion, Pick, Region, Study
from annotation.selectors import early_stops
from annotation.states import SLOT_KINDS, AnswerKind, JobState, ModelState, RegionState


def count_answers(study: Study) -> int:
    """Answers given, those taken back included, corrections that take them back not."""
    return Annotation.objects.filter(study=study).exclude(kind=AnswerKind.WITHDRAWN).count()


def measure_truth(study: Study) -> dict[str, Any]:
    """Accuracy, macro-F1 over the classes that occur, and recall of each, of settled regions whose truth is known."""
    pairs = list(
        Region.objects.filter(
            study=study, state=RegionState.SETTLED, current_revision__is_settled=True, known_truth__isnull=False
        ).values_list("known_truth__label", "current_revision__label")
    )
    truth, found, hit = Counter(t for t, _ in pairs), Counter(f for _, f in pairs), Counter[str]()
    hit.update(t for t, f in pairs if t == f)
    recall = {code: hit[code] / count for code, count in sorted(truth.items())}
    f1 = [2 * hit[code] / (count + found[code]) for code, count in sorted(truth.items())]
    return {
        "truth_accuracy": _rounded(sum(hit.values()) / len(pairs)) if pairs else None,
        "truth_macro_f1": _rounded(sum(f1) / len(f1)) if f1 else None,
        "truth_recall": {code: _rounded(value) for code, value in recall.items()},
    }


def measure_overlap(study: Study) -> dict[str, Any]:
    """Opinions asked for, what the fixed overlap of the policy's maximum would have taken, and what checks found.

    Gold, repeats and adjudications would come on top of either. `said` has it in sentences.
    """
    policy = study.policy
    given = Annotation.objects.filter(study=study, assignment_kind__in=SLOT_KINDS)
    opinions = given.exclude(kind=AnswerKind.WITHDRAWN).count()
    regions = Pick.objects.filter(study=study, has_begun=True).order_by().values("region").distinct().count()
    fixed = (policy.fixed_overlap or policy.max_overlap) * regions
    found = early_stops.read(study)
    saved = 1.0 - opinions / fixed if fixed else 0.0
    said = [f"{opinions:,} opinions on {regions:,} regions."]
    if not policy.fixed_overlap and regions:
        said.append(
            f"Asking {policy.max_overlap} people about each would have taken {fixed:,}: {abs(saved):.1%} "
            f"{'saved' if saved >= 0 else 'more'}."
        )
        said.append(found.say())
    return {
        "opinions": opinions,
        "regions": regions,
        "fixed_opinions": fixed,
        "saved_share": _rounded(saved),
        "early_stops": found.to_json(),
        "said": " ".join(said),
    }


def measure_point(study: Study) -> dict[str, Any]:
    """One point of the learning curve."""
    truth = measure_truth(study)
    active = ModelVersion.objects.filter(study=study, state=ModelState.ACTIVE).first()
    return {
        "answers": count_answers(study),
        "settled": count_settled(study),
        "truth_accuracy": truth["truth_accuracy"],
        "truth_macro_f1": truth["truth_macro_f1"],
        "model_version": active.number if active else None,
        "audit_macro_f1": audit_macro_f1(active) if active else None,
    }


def count_settled(study: Study) -> int:
    """Regions with a settled truth."""
    return Region.objects.filter(study=study, state=RegionState.SETTLED).count()


def audit_macro_f1(model: ModelVersion) -> float | None:
    """The model's macro-F1 on the audit sample as the gate saw it; None where the gate took other estimates."""
    gate = model.numbers.get("gate", {})
    if gate.get("basis") != "audit":
        return None
    return float(gate["candidate"]["macro_f1"])


def describe_models(study: Study) -> list[dict[str, Any]]:
    """Every model version with its state, digest and the gate's reasons."""
    return [
        {
            "number": model.number,
            "digest": model.digest,
            "state": model.state,
            "was_promoted": model.activated_at is not None,
            "audit_macro_f1": audit_macro_f1(model),
            "reasons": model.gate_reasons,
        }
        for model in ModelVersion.objects.filter(study=study).order_by("number")
    ]


def count_promoted(study: Study) -> int:
    """How many models after the first became active."""
    return ModelVersion.objects.filter(study=study, number__gt=1, activated_at__isnull=False).count()


def count_findings(study: Study) -> dict[str, int]:
    """Findings of all passes: rule and state -> how many."""
    rows = Finding.objects.filter(consistency_pass__study=study).values_list("rule", "severity", "state")
    return {" ".join(key): count for key, count in sorted(Counter(rows).items())}


def describe_failed_jobs(study: Study) -> list[dict[str, str]]:
    """Kind, key and error of every job that was given up."""
    rows = Job.objects.filter(study=study, state=JobState.FAILED).order_by("pk")
    named = rows.values_list("kind", "key", "error")
    return [{"kind": kind, "key": key, "error": error} for kind, key, error in named]


def _rounded(value: float) -> float:
    return round(value, 6)
