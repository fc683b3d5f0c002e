"""A finished pilot, once: both halves and the gate half of the audit sample as arrays, compared by `learning.pilot`.

Decides which regions judge; refuses to know how they are compared. It steers nothing, so it spends nothing of the gate
half's validity.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from annotation.models import ModelVersion, Study
from annotation.services import pilot
from annotation.states import AuditHalf
from learning.gate import GatePolicy
from learning.pilot import Half, Judges, compare
from workers import bridge, files
from workers.bridge import Examples


def measure(study: Study, *, examples: Examples, encoder_digest: str) -> dict[str, Any] | None:
    """The comparison of a pilot that has ended and was not compared yet, as JSON values; else None."""
    wanted = study.policy.pilot_regions
    if not wanted or pilot.is_running(study):
        return None
    if ModelVersion.objects.filter(study=study, numbers__pilot__regions=wanted).exists():
        return None
    halves = pilot.read_halves(study)
    audit = bridge.read_examples(study, encoder_digest=encoder_digest, audit_half=AuditHalf.GATE)
    is_enough = len(audit) >= study.policy.gate_min_items and len(np.unique(audit.cases)) >= GatePolicy().audit_cases
    found = compare(
        ranked=_gather(examples, halves.ranked),
        random=_gather(examples, halves.random),
        judges=Judges(audit.features, audit.labels, audit.cases) if is_enough else None,
        classes=len(bridge.learnable_codes(study)),
        seed=files.seed_of(study, files.TRAINING),
    )
    return {"regions": wanted, **(found.to_json() if found else {})}


def _gather(examples: Examples, half: Mapping[str, int]) -> Half:
    """Rows of a half in its order; regions without features or with a special outcome are left out."""
    place = {region: row for row, (region, _) in enumerate(examples.names)}
    kept = [(place[region], answers) for region, answers in half.items() if region in place]
    rows = np.array([row for row, _ in kept], dtype=np.int64)
    return Half(
        features=examples.features[rows] if len(rows) else examples.features[:0],
        labels=examples.labels[rows],
        cases=examples.cases[rows],
        answers=np.array([answers for _, answers in kept], dtype=np.int64),
    )
