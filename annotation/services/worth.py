"""Another opinion or a new region: which begun regions of the ranked queue wait until new ones are worth less.

Decides when a batch is drawn and when an answer arrives, never in a claim, and keeps the result with the pick. Only
what a model or typicality chose can wait: random-share, audit and rechecked regions, and planted checks, measure
something and keep their place. Refuses to know how much an answer brings (`learning.consensus.gain`) and when a region
is settled.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from django.db.models import QuerySet

from annotation import canonical
from annotation.models import ConfusionMatrix, Pick, SelectionBatch, Study
from annotation.policy import Policy
from annotation.services import truth
from annotation.states import WITHDRAWABLE_STRATA, PickState
from learning.consensus import gain
from learning.consensus.priors import default_confusion

_PLACES = 6


@dataclass(frozen=True, slots=True)
class Scale:
    """What gains are measured by until the next batch: a typical annotator (K, K), the worth of a right truth of each
    class (K,), and the smallest gain of a new region of the batch (None: it has none)."""

    codes: list[str]
    typical: np.ndarray
    weights: np.ndarray
    least: float | None

    def to_json(self) -> dict[str, Any]:
        typical, weights = (np.round(values, _PLACES).tolist() for values in (self.typical, self.weights))
        return {"codes": self.codes, "typical": typical, "weights": weights, "least": self.least}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        return cls(values["codes"], np.asarray(values["typical"]), np.asarray(values["weights"]), values["least"])


def is_weighed(policy: Policy) -> bool:
    """Whether gains steer the queue: not where everybody counts alike or as many are asked everywhere."""
    return policy.opinions_first == "by-gain" and policy.consensus == "dawid-skene" and not policy.fixed_overlap


def weigh_new(*, study: Study, picks: Iterable[Pick], weights: Mapping[str, float]) -> Scale:
    """Write its gain on each pick of a batch that can be withdrawn, not yet stored, and return the batch's scale.

    `weights` by class code; 1 for a class that is not named.
    """
    codes = truth.class_codes(study)
    snapshot = truth.latest_snapshot(study)
    prior = np.full(len(codes), 1.0 / len(codes))
    typical = default_confusion(len(codes), priors=truth.expectations(study))
    if snapshot is not None and snapshot.class_codes == codes:
        prior = np.asarray(snapshot.prior)
        known = ConfusionMatrix.objects.filter(snapshot=snapshot).order_by("pseudonym")
        typical = np.mean([np.asarray(row) for row in known.values_list("rows", flat=True)] or [typical], axis=0)
    worth = np.array([weights.get(code, 1.0) for code in codes])
    found = []
    for pick in picks:
        if pick.stratum in WITHDRAWABLE_STRATA:
            expected = _expect(pick, codes=codes, prior=prior)
            pick.gain = _measure(pick, policy=study.policy, posterior=prior, answers=0, expected=expected,
                                 typical=typical, weights=worth)  # fmt: skip
            found.append(pick.gain)
    return Scale(codes, typical, worth, min(found, default=None))


def place(pick: Pick) -> None:
    """Say anew of a begun pick what another opinion is worth, and whether it waits; in the submit's transaction.

    `pick` is locked and has a free place.
    """
    policy = pick.study.policy
    if not is_weighed(policy) or pick.state != PickState.OPEN or not pick.slots_open:
        return
    if pick.stratum not in WITHDRAWABLE_STRATA or pick.early_label:
        _mark(Pick.objects.filter(pk=pick.pk, is_deferred=True), is_deferred=False)
        return
    belief = truth.believe(pick.region, study=pick.study)
    scale = _newest_scale(pick.study)
    if scale is None or scale.codes != belief.codes:
        return
    prior = np.full(len(belief.codes), 1.0 / len(belief.codes)) if belief.prior is None else belief.prior
    model = _expect(pick, codes=belief.codes, prior=prior)
    pick.gain = _measure(
        pick,
        policy=policy,
        posterior=belief.posterior,
        answers=len(belief.opinions),
        expected=None if model is None else gain.pool(belief.posterior, prior=prior, expected=model),
        typical=scale.typical,
        weights=scale.weights,
    )
    pick.is_deferred = scale.least is not None and pick.gain < scale.least
    pick.save(update_fields=["gain", "is_deferred"])


def place_all(*, study: Study, scale: Scale | None) -> None:
    """Compare the begun picks' stored gains with a new batch's; without a scale nothing waits any more.

    A pick that a submit holds at this moment is placed by that submit.
    """
    rows = Pick.objects.filter(study=study, state=PickState.OPEN)
    if scale is None or scale.least is None:
        _mark(rows.filter(is_deferred=True), is_deferred=False)
        return
    begun = rows.filter(has_begun=True, stratum__in=WITHDRAWABLE_STRATA, early_label="", gain__isnull=False)
    _mark(begun.filter(is_deferred=False, gain__lt=scale.least), is_deferred=True)
    _mark(begun.filter(is_deferred=True, gain__gte=scale.least), is_deferred=False)


def _mark(rows: QuerySet[Pick], *, is_deferred: bool) -> None:
    held = rows.select_for_update(skip_locked=True, no_key=True).order_by("pk").values_list("pk", flat=True)
    Pick.objects.filter(pk__in=list(held)).update(is_deferred=is_deferred)


def _newest_scale(study: Study) -> Scale | None:
    batches = SelectionBatch.objects.filter(study=study, numbers__has_key="scale").order_by("-number")
    values = batches.values_list("numbers__scale", flat=True).first()
    return Scale.from_json(values) if values else None


def _expect(pick: Pick, *, codes: list[str], prior: np.ndarray) -> np.ndarray | None:
    """The model's word on a pick, as kept with it; None where no model has seen it."""
    parts = pick.parts
    if parts.get("predicted") not in codes or "top" not in parts:
        return None
    second = parts.get("second")
    return gain.expect_from_top(
        top=codes.index(parts["predicted"]),
        share=parts["top"],
        second=codes.index(second) if second in codes and "margin" in parts else None,
        margin=parts.get("margin", 0.0),
        prior=prior,
    )


def _measure(pick: Pick, *, policy: Policy, **known: Any) -> float:
    least = min(policy.min_overlap, pick.overlap)
    found = gain.measure_gain(
        posterior=known["posterior"],
        answers=known["answers"],
        confusion=known["typical"],
        asking=gain.Asking(least, max(pick.overlap, known["answers"] + 1), policy.target_confidence),
        expected=known["expected"],
        weights=known["weights"],
    )
    return canonical.rounded(found, _PLACES)
