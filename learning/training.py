"""A frozen training set in, a candidate model and its report out.

Decides what a training run is made of and what its report says. Refuses to know where labels came
from, where a model is kept, and whether it will be promoted.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning import canonical, metrics
from learning.models import Ensemble, HeadSettings, train_ensemble


@dataclass(frozen=True)
class TrainingData:
    """Rows of a training set, in the order of its revision ids.

    features (N, D); labels (N,) index into class_codes; groups (N,) case of each item; revision_digest
    is the digest of the list of revision ids; sample_weight (N,) or None. is_unseen (N,): items of cases that the
    encoder has not seen the labels of; None for an encoder that has seen none.
    """

    features: NDArray[np.floating]
    labels: NDArray[np.integer]
    groups: NDArray[np.integer]
    class_codes: tuple[str, ...]
    revision_digest: str
    encoder_name: str
    encoder_digest: str
    sample_weight: NDArray[np.floating] | None = None
    is_unseen: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class TrainingConfiguration:
    """Everything a person may turn; two runs with one digest and one training set are the same model."""

    members: int = 5
    seed: int = 0
    head: HeadSettings = field(default_factory=HeadSettings)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the settings."""
        return canonical.compute_digest(asdict(self))


@dataclass(frozen=True)
class Candidate:
    """A trained model that nobody has judged yet, with what is needed to write it down."""

    ensemble: Ensemble
    class_codes: tuple[str, ...]
    encoder_name: str
    encoder_digest: str
    revision_digest: str
    configuration: TrainingConfiguration
    report: dict[str, Any]


def train(*, data: TrainingData, configuration: TrainingConfiguration | None = None) -> Candidate:
    """Fit an ensemble from scratch and report on its out-of-fold probabilities.

    The same data and configuration give the same numbers. Raises ValueError for data that cannot be
    trained on, such as an empty set or labels beyond the classes.
    """
    configuration = configuration or TrainingConfiguration()
    ensemble = train_ensemble(
        features=data.features,
        labels=data.labels,
        groups=data.groups,
        classes=len(data.class_codes),
        sample_weight=data.sample_weight,
        is_unseen=data.is_unseen,
        seed=configuration.seed,
        members=configuration.members,
        settings=configuration.head,
    )
    return Candidate(
        ensemble=ensemble,
        class_codes=data.class_codes,
        encoder_name=data.encoder_name,
        encoder_digest=data.encoder_digest,
        revision_digest=data.revision_digest,
        configuration=configuration,
        report=_write_report(data, ensemble, configuration),
    )


def _write_report(data: TrainingData, ensemble: Ensemble, configuration: TrainingConfiguration) -> dict[str, Any]:
    codes = data.class_codes
    judged = np.ones(len(data.labels), dtype=bool)
    if data.is_unseen is not None and data.is_unseen.any():
        judged = data.is_unseen
    proba, truth = ensemble.oof_proba[judged], data.labels[judged]
    confusion = metrics.count_confusion(truth=truth, predicted=proba.argmax(axis=1), classes=len(codes))
    return {
        "items": len(data.labels),
        "cases": len(np.unique(data.groups)),
        "members": len(ensemble.biases),
        "class_counts": dict(zip(codes, np.bincount(data.labels, minlength=len(codes)).tolist(), strict=True)),
        "temperature": ensemble.temperature,
        "out_of_fold": {
            "accuracy": _round(metrics.measure_accuracy(confusion)),
            "macro_f1": _round(metrics.measure_macro_f1(confusion)),
            "nll": _round(metrics.measure_nll(truth=truth, proba=proba)),
            "ece": _round(metrics.measure_ece(truth=truth, proba=proba)),
            "recall": _name(codes, metrics.measure_recall(confusion)),
            "precision": _name(codes, metrics.measure_precision(confusion)),
            "f1": _name(codes, metrics.measure_f1(confusion)),
        },
        "remarks": _remark(data, configuration),
    }


def _remark(data: TrainingData, configuration: TrainingConfiguration) -> list[str]:
    """What a manager should know before trusting the out-of-fold numbers."""
    remarks = []
    if data.is_unseen is not None:
        remarks.append(
            f"The out-of-fold numbers and the calibration rest on the {int(data.is_unseen.sum())} items of cases that "
            "the encoder has not learned from."
        )
    cases = len(np.unique(data.groups))
    if cases == 1:
        remarks.append("All items come from one case, so the out-of-fold numbers are too good.")
    elif cases < configuration.members:
        remarks.append(f"Only {cases} cases, so the ensemble has {cases} members, not {configuration.members}.")
    for index, code in enumerate(data.class_codes):
        homes = len(np.unique(data.groups[data.labels == index]))
        if homes == 0:
            remarks.append(f"No example of {code}: the model cannot predict it.")
        elif homes == 1 and cases > 1:
            remarks.append(f"{code} occurs in one case only: its out-of-fold recall is zero by construction.")
    return remarks


def _round(value: Any) -> float:
    return round(float(value), 6)


def _name(codes: tuple[str, ...], values: NDArray[np.float64]) -> dict[str, float | None]:
    pairs = zip(codes, values.tolist(), strict=True)
    return {code: None if np.isnan(value) else round(value, 6) for code, value in pairs}
