"""What models and pixels say about the truth that a pass has read: the evidence that its rules weigh.

Decides which regions are shown to which model; refuses to judge any of it. No rule's model sees the audit sample; only
the search for duplicates does, as a patient on both sides of a split is found nowhere else.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from annotation.models import Study
from annotation.rules import Alike, Evidence, Item
from annotation.selectors.passview import Reading
from annotation.states import AuditHalf
from learning.features.rows import ChosenRows, FeatureRows
from learning.review import crowdlab
from learning.review.label_errors import LabelErrors, find_label_errors
from learning.review.near_duplicates import find_near_duplicates
from workers import bridge, carrying, looks, unoffered

Report = Callable[[int, int], None]

FEWEST = 50
"""Labels under which a model that learns from them says too little."""
_PLACES = 4


def gather(reading: Reading, *, study: Study, report: Report) -> Evidence:
    """All evidence for what `reading` read; what has no features or no readable slide is left out and counted."""
    items = sorted(reading.view.released(), key=lambda item: item.region)
    rows, features = bridge.find_rows(study, items, encoder_digest=bridge.choose_encoder(study).digest)
    judged, errors = _doubt(reading, items, rows, features, seed=abs(study.seed) % 2**31)
    seen = looks.take(study, items, rows, report=report)
    alike = _pair(study, items, rows, features, seen, report=report)
    proba = _spread(reading, judged, errors)
    return Evidence(
        out_of_fold={item.region: tuple(row) for item, row in zip(judged, proba.tolist(), strict=True)},
        doubts=_say_doubts(reading, judged, errors),
        alike=alike,
        purity={
            item.region: round(float(seen.purity[at]), _PLACES)
            for at, item in enumerate(items)
            if seen.is_known[at] and item.audit == AuditHalf.NONE
        },
        unmarked=unoffered.find(study, reading.view),
        crowdlab=_ask_crowdlab(reading, judged, proba),
        model=carrying.describe(reading, study=study) if reading.view.policy.release_model else {},
        facts={
            "encoder": bridge.choose_encoder(study).digest,
            "doubted": len(judged),
            "noise": round(errors.noise, _PLACES) if errors else None,
            "looked_at": int(seen.is_known.sum()),
            "without_features": int((rows < 0).sum()),
        },
    )


def _doubt(
    reading: Reading, items: Sequence[Item], rows: NDArray[np.int64], features: FeatureRows, *, seed: int
) -> tuple[list[Item], LabelErrors | None]:
    """The items a model may judge, and what it says; none where there is too little to learn from."""
    special = reading.view.special
    kept = [
        at
        for at, item in enumerate(items)
        if rows[at] >= 0 and item.audit == AuditHalf.NONE and item.label not in special
    ]
    judged = [items[at] for at in kept]
    labels = sorted({item.label for item in judged})
    if len(judged) < FEWEST or len(labels) < 2:
        return [], None
    cases = sorted({item.case for item in judged})
    errors = find_label_errors(
        ChosenRows(features, rows[kept]),
        labels=np.array([labels.index(item.label) for item in judged]),
        groups=np.searchsorted(cases, [item.case for item in judged]),
        classes=len(labels),
        seed=seed,
    )
    return judged, errors


def _spread(reading: Reading, judged: Sequence[Item], errors: LabelErrors | None) -> NDArray[np.float64]:
    """Out-of-fold probabilities (N, K) over all codes of the view; nothing for classes that no label names."""
    codes = reading.view.codes
    proba = np.zeros((len(judged), len(codes)))
    if errors is not None:
        proba[:, [codes.index(label) for label in sorted({item.label for item in judged})]] = errors.proba
    return np.round(proba, _PLACES)


def _say_doubts(reading: Reading, judged: Sequence[Item], errors: LabelErrors | None) -> dict[str, tuple[str, float]]:
    if errors is None:
        return {}
    labels = sorted({item.label for item in judged})
    return {
        item.region: (labels[errors.likely[at]], round(float(errors.suspicion[at]), _PLACES))
        for at, item in enumerate(judged)
    }


def _pair(
    study: Study,
    items: Sequence[Item],
    rows: NDArray[np.int64],
    features: FeatureRows,
    seen: looks.Looks,
    *,
    report: Report,
) -> tuple[Alike, ...]:
    kept = np.flatnonzero(seen.is_known & (rows >= 0))
    chosen = [items[at] for at in kept.tolist()]
    if len(kept) < 2:
        return ()
    found = find_near_duplicates(
        (("perceptual", ChosenRows(seen.hashes, kept)), ("embedding", ChosenRows(features, rows[kept]))),
        digests=[item.pixel_digest for item in chosen],
        read=lambda wanted: looks.read_pixels(study, [chosen[at] for at in wanted.tolist()]),
        seed=abs(study.seed) % 2**31,
        similarity=looks.LEAST_SIMILARITY,
        progress=report,
    )
    names = [item.region for item in chosen]
    return tuple(Alike(names[one.first], names[one.second], one.kind, round(one.similarity, _PLACES)) for one in found)


def _ask_crowdlab(reading: Reading, judged: Sequence[Item], proba: NDArray[np.float64]) -> dict[str, tuple[str, float]]:
    """Region -> (label, confidence), for regions that people answered and the model judged."""
    fitted = reading.fitted
    if fitted is None or not fitted.regions or not len(judged):
        return {}
    predicted = {item.region: row for item, row in zip(judged, proba, strict=True)}
    nothing = np.full(len(fitted.codes), np.nan)
    said = crowdlab.judge(
        fitted.answers, probabilities=np.stack([predicted.get(region, nothing) for region in fitted.regions])
    )
    return {
        region: (fitted.codes[label], round(float(sure), _PLACES))
        for region, label, sure in zip(fitted.regions, said.labels.tolist(), said.confidence.tolist(), strict=True)
        if label != crowdlab.UNJUDGED
    }
