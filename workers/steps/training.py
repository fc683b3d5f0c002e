"""From revisions to a model: freeze the training set, train, keep the candidate, let the gate judge it.

Decides what is trained on and what the gate is shown; refuses to know how an ensemble is fitted. The audit sample is
never trained on. A training that can't be done yet ends well and says why.
"""

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation import canonical
from annotation.models import Job, ModelVersion, TrainingSet
from annotation.services import modelling
from annotation.states import ModelState
from learning import registry
from learning.features import Encoder
from learning.training import TrainingConfiguration, TrainingData, train
from workers import bridge, files, gating, piloting, repair
from workers.bridge import Examples
from workers.progress import Progress

FEWEST_PER_CLASS = 2


def run(job: Job, report: Progress) -> dict[str, Any]:
    """Train on all settled revisions of now, unless that model exists; activate or reject it."""
    study = job.study
    encoder, version = bridge.encoder_to_train_on(study, job.payload.get("encoder"))
    codes = bridge.learnable_codes(study)
    waiting = repair.renew_features(study, encoder=encoder, version=version)
    if waiting:
        why = f"Features of {waiting} slides were lost or are an older encoder's; they are computed again first."
        return {"model": None, "why": why, "waits": waiting}
    examples = bridge.read_examples(study, encoder_digest=encoder.digest)
    why_not = _find_obstacle(examples, codes)
    if why_not:
        return {"model": None, "why": why_not}
    configuration = TrainingConfiguration(seed=files.seed_of(study, files.TRAINING))
    with report.fenced():
        training_set = modelling.freeze_training_set(
            study=study,
            digest=digest_training_set(examples.names, examples.labels, codes),
            revision_ids=examples.revision_ids,
        )
    configured = digest_configuration(configuration, encoder)
    model = training_set.models.filter(configuration_digest=configured).first()
    if model is None:
        data = TrainingData(
            features=examples.features,
            labels=examples.labels,
            groups=examples.cases,
            class_codes=tuple(codes),
            revision_digest=training_set.digest,
            encoder_name=encoder.name,
            encoder_digest=encoder.digest,
            is_unseen=bridge.find_unseen(examples, version),
        )
        trained_on = dict(sorted(Counter(examples.domains).items()))
        model = _train(data, configuration, configured, training_set, trained_on, report)
    if model.state == ModelState.CANDIDATE:
        model = _judge(model, examples, report)
    return {"model": model.number, "state": model.state, "reasons": model.gate_reasons, "items": len(examples)}


def digest_training_set(names: list[tuple[str, int]], labels: NDArray[np.int64], codes: list[str]) -> str:
    """The digest of a training set: by public names and labels, so that it is the same in another database."""
    said = [codes[label] for label in labels.tolist()]
    rows = [[region, number, label] for (region, number), label in zip(names, said, strict=True)]
    return canonical.digest({"classes": codes, "revisions": sorted(rows)})


def _find_obstacle(examples: Examples, codes: list[str]) -> str:
    counts = np.bincount(examples.labels, minlength=len(codes))
    learnable = int((counts >= FEWEST_PER_CLASS).sum())
    if learnable >= 2:
        return ""
    return (
        f"A model tells classes apart: it needs two classes with {FEWEST_PER_CLASS} settled regions each outside the "
        f"audit sample, and {learnable} of {len(codes)} classes have them so far."
    )


def digest_configuration(configuration: TrainingConfiguration, encoder: Encoder) -> str:
    """All that makes another model of the same revisions: the settings, and what looks at the pixels."""
    return canonical.digest({"training": configuration.digest, "encoder": encoder.digest})


def _train(
    data: TrainingData,
    configuration: TrainingConfiguration,
    configured: str,
    training_set: TrainingSet,
    trained_on: dict[str, int],
    report: Progress,
) -> ModelVersion:
    candidate = train(data=data, configuration=configuration)
    digest = registry.save(files.models_folder(), candidate)
    with report.fenced():
        return modelling.register_candidate(
            training_set=training_set,
            digest=digest,
            configuration_digest=configured,
            encoder=data.encoder_name,
            encoder_digest=data.encoder_digest,
            class_codes=list(data.class_codes),
            numbers={**candidate.report, "trained_on": trained_on},
        )


def _judge(model: ModelVersion, examples: Examples, report: Progress) -> ModelVersion:
    study = model.study
    champion = ModelVersion.objects.filter(study=study, state=ModelState.ACTIVE).first()
    verdict = gating.judge(study=study, model=model, champion=champion, examples=examples)
    piloted = piloting.measure(study, examples=examples, encoder_digest=model.encoder_digest)
    grown = gating.measure_growth(model) if verdict.basis == "audit" else None
    with report.fenced():
        if modelling.lock_active(study=study) == champion:
            return modelling.judge(
                model=model,
                promote=verdict.promote,
                reasons=verdict.reasons,
                numbers={
                    "gate": {"basis": verdict.basis, **verdict.numbers},
                    **({"pilot": piloted} if piloted else {}),
                    **({"growth": grown} if grown else {}),
                },
                looked=verdict.basis == "audit",
            )
    # Somebody went back to another model meanwhile: the candidate has to stand against that one.
    return _judge(model, examples, report)
