"""What was learned of people and expected of regions, said in the classes of a new version until it is learned anew.

Decides that nobody's reliability is forgotten where classes go on; refuses to estimate anything (`consensus`, models).
"""

from datetime import datetime
from typing import Any

import numpy as np

from annotation import canonical, mapping
from annotation.models import ClassExample, Pick, Protocol, ReliabilitySnapshot, Study
from annotation.services import truth
from annotation.services.protocols import mappings
from annotation.services.protocols.carrying import shares_of
from annotation.states import PickState
from learning.consensus.priors import expect_accuracy
from learning.consensus.recoding import recode_confusion, recode_prior
from learning.consensus.reliability import bound_diagonal


def carry_reliability(study: Study, *, draft: Protocol, at: datetime) -> ReliabilitySnapshot | None:
    """The newest snapshot over the classes of `draft`, as submits use it until the next fit; None without one."""
    last = truth.latest_snapshot(study)
    if last is None or study.protocol is None:
        return None
    plans, after = mappings.read(draft), list(draft.codes)
    shares = shares_of(plans, before=last.class_codes, after=after)
    exact = (shares_of(plans, before=last.class_codes, after=after, exact_only=True) > 0).astype(np.float64)
    prior = np.asarray(last.prior)
    newest = ReliabilitySnapshot.objects.filter(study=study).order_by("-number").values_list("number", flat=True)[0]
    return ReliabilitySnapshot.objects.create(
        study=study,
        number=newest + 1,
        protocol=draft,
        class_codes=after,
        prior=_rounded(recode_prior(prior, shares=shares)),
        confusion={
            name: _rounded(recode_confusion(np.asarray(rows), prior=prior, shares=shares, exact=exact))
            for name, rows in last.confusion.items()
        },
        reliability={name: _recode_bounds(bounds, exact) for name, bounds in last.reliability.items()},
        answers=last.answers,
        created_at=at,
    )


def _recode_bounds(bounds: dict[str, Any], exact: np.ndarray) -> dict[str, Any]:
    """Mean and interval by class: of the one class that goes on, the widest of those that merge, else nothing known."""
    count = exact.shape[1]
    unknown = bound_diagonal(np.zeros((1, count, count)), priors=expect_accuracy(count))
    found = {"mean": unknown.mean[0].tolist(), "low": unknown.low[0].tolist(), "high": unknown.high[0].tolist()}
    for column in range(count):
        rows = np.flatnonzero(exact[:, column])
        if len(rows):
            found["mean"][column] = float(np.mean([bounds["mean"][row] for row in rows]))
            found["low"][column] = min(bounds["low"][row] for row in rows)
            found["high"][column] = max(bounds["high"][row] for row in rows)
    return {**{key: _rounded(np.asarray(values)) for key, values in found.items()}, "answers": bounds["answers"]}


def carry_examples(study: Study, *, draft: Protocol) -> None:
    """Show the examples of each class under the class that it goes on as exactly."""
    step = mapping.exact_step(draft)
    classes = {row.code: row for row in draft.classes.all()}
    shown = ClassExample.objects.filter(label_class__protocol=study.protocol_id, label_class__code__in=step)
    ClassExample.objects.bulk_create(
        [
            ClassExample(label_class=classes[step[row.label_class.code]], region=row.region, caption=row.caption)
            for row in shown.select_related("label_class", "region").order_by("id")
        ],
        ignore_conflicts=True,
    )


def recode_predictions(study: Study, *, draft: Protocol) -> None:
    """What a model expects of regions that are queued: in today's code, or nothing where the class has none."""
    step = mapping.exact_step(draft)
    waiting = Pick.objects.filter(study=study, state=PickState.OPEN, parts__has_key="predicted")
    changed = []
    for pick in waiting.only("pk", "parts"):
        code = step.get(pick.parts["predicted"])
        if code != pick.parts["predicted"]:
            pick.parts = {key: value for key, value in pick.parts.items() if key != "predicted"}
            pick.parts |= {"predicted": code} if code else {}
            changed.append(pick)
    Pick.objects.bulk_update(changed, ["parts"], batch_size=500)


def _rounded(values: np.ndarray) -> list:
    return np.vectorize(canonical.rounded)(values).tolist()
