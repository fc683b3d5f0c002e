"""The model that a release of a pass would carry: its files, and its worth on the report half of the audit sample.

Decides which model and which regions; the bar is `learning.model_card`. The report half is opened here and nowhere
else: nothing is trained, gated or ranked by what is found.
"""

import hashlib
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.models import ModelVersion, Study
from annotation.releasing.datasheet.model import LEARNED
from annotation.rules import Item
from annotation.selectors.passview import Reading
from annotation.states import AuditHalf, ModelState
from learning import model_card, registry, sampling
from learning.features.rows import ChosenRows
from learning.model_card import CardPolicy, Shown
from workers import bridge, files

Rows = NDArray[np.int64]


def describe(reading: Reading, *, study: Study) -> dict[str, Any]:
    """The card of the study's active model as of the pass; without numbers where there is nothing to judge.

    `files` names the model's files with SHA-256 and size: those are what a release of the pass may hold.
    """
    model = ModelVersion.objects.select_related("training_set").filter(study=study, state=ModelState.ACTIVE).first()
    if model is None:
        return {"accepted": False, "reason": "No model of the study is active."}
    known = {
        "number": model.number,
        "digest": model.digest,
        "encoder": {"name": model.encoder, "digest": model.encoder_digest},
        "classes": model.class_codes,
        "trained_on": len(model.training_set.revision_ids),
    }
    if list(model.class_codes) != bridge.learnable_codes(study) or not all(bridge.codes_today(model)):
        reason = "The active model tells the classes of an older protocol apart: train one on today's first."
        return {"accepted": False, "reason": reason, **known}
    stored = registry.load(files.models_folder(), model.digest)
    shown = _show(reading, study, model, stored)
    said = model_card.judge(shown, class_codes=model.class_codes, policy=CardPolicy(items=study.policy.gate_min_items))
    return {**said, **known, "files": _list_files(model)}


def _show(reading: Reading, study: Study, model: ModelVersion, stored: registry.StoredModel) -> Shown:
    codes = list(model.class_codes)
    released = list(reading.view.released())
    half = [item for item in released if item.audit == AuditHalf.REPORT and item.label in codes]
    items = sorted(half, key=lambda item: item.region)
    rows, features = bridge.find_rows(study, items, encoder_digest=model.encoder_digest)
    kept = np.flatnonzero(rows >= 0)
    items = [items[at] for at in kept.tolist()]
    cases = sorted({item.case for item in items})
    domains = [item.domain for item in items]
    pixels = np.asarray(ChosenRows(features, rows[kept]).take(np.arange(len(kept)))) if len(kept) else None
    return Shown(
        truth=np.array([codes.index(item.label) for item in items], dtype=np.int64),
        cases=np.array([cases.index(item.case) for item in items], dtype=np.int64),
        domains=domains,
        proba=np.zeros((0, len(codes))) if pixels is None else stored.ensemble.mean_proba(pixels),
        people=_read_people(reading, items, codes),
        # It is said of the whole release, of whose domains unequal shares were drawn for this half.
        weight=sampling.weigh_strata(domains, sizes=Counter(item.domain for item in released)) if items else None,
    )


def _read_people(reading: Reading, items: list[Item], codes: list[str]) -> dict[str, tuple[Rows, Rows]]:
    """Everybody's own opinions on these regions; -1 for an outcome that the model does not know."""
    fitted = reading.fitted
    if fitted is None:
        return {}
    place = {item.region: at for at, item in enumerate(items)}
    where = np.array([place.get(region, -1) for region in fitted.regions], dtype=np.int64)
    column = np.array([codes.index(code) if code in codes else -1 for code in fitted.codes], dtype=np.int64)
    answers = fitted.answers
    rows = where[answers.items] if len(where) else where
    found = {}
    for index, name in enumerate(fitted.pseudonyms):
        own = (answers.annotators == index) & (rows >= 0)
        if own.any():
            found[name] = (rows[own], column[answers.labels[own]])
    return found


def _list_files(model: ModelVersion) -> dict[str, dict[str, Any]]:
    paths = {path.name: path for path in (files.models_folder() / model.digest).iterdir()}
    learned = model.study.encoders.filter(digest=model.encoder_digest).first()
    if learned is not None:
        paths[LEARNED] = files.weights_path(learned.weights)
    found = {}
    for name, path in sorted(paths.items()):
        content = path.read_bytes()
        found[name] = {"sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)}
    return found
