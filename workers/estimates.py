"""What a model is worth on all regions of a study: an estimate for people, from items that were drawn by chance.

Decides which items stand for which regions. Refuses to steer anything by it: promotion compares two models on items as
they are (`gating`), and the model in a release is judged on a half of its own (`carrying`).
"""

from typing import Any

import numpy as np
from django.db.models import Count
from numpy.typing import NDArray

from annotation.models import Pick, Region, Study
from annotation.states import RegionState
from learning import metrics, sampling
from learning.models import OutOfFold
from workers.bridge import Examples

FEWEST_DRAWN = 100
"""Regions picked by chance, before they say something of the pool: the interval of 40 holds the truth in 89% of runs,
that of 100 in 95% (tests/benchmarks/auditing.py)."""
LEAST_KNOWN = 0.9
"""Of what was trained on: a learned encoder has seen most cases, and those it has not are no sample of the pool."""
_PLACES = 6


def by_audit(
    study: Study,
    *,
    truth: NDArray[np.integer],
    proba: NDArray[np.floating],
    cases: NDArray[np.integer],
    domains: list[str],
) -> dict[str, Any] | None:
    """From audit items, whose cases were drawn by chance: those of a domain stand for all its regions (Hajek weights).

    So it does not matter that more cases of one domain were drawn, or answered so far. None without items.
    """
    if not len(truth):
        return None
    regions = Region.objects.filter(study=study).exclude(state=RegionState.EXCLUDED).order_by()
    sizes = dict(regions.values_list("slide__domain__name").annotate(many=Count("pk")))
    weight = sampling.weigh_strata(domains, sizes=sizes)
    return {"drawn": len(truth), **_measure(truth, proba, cases, weight)}


def by_chance_picks(study: Study, *, examples: Examples, found: OutOfFold) -> dict[str, Any] | None:
    """From what a model was trained on, each item answered by a member that had not seen its case (LURE weights).

    What was picked by its score stands for itself; the random picks among them stand for all that was left. None with
    fewer than `FEWEST_DRAWN` of these, or where less than `LEAST_KNOWN` could be answered by such a member.
    """
    rows = np.flatnonzero(found.is_known)
    if len(rows) < LEAST_KNOWN * len(examples):
        return None
    first = Pick.objects.filter(study=study, region__audit_half="").order_by("region_id", "batch_number", "rank")
    picked = first.distinct("region_id").values_list("region__public_id", "batch_number", "rank", "probability")
    place = {name: (batch, rank, chance) for name, batch, rank, chance in picked}
    # What came with a label before any batch was there first, and by nobody's chance.
    taken = [(*place.get(examples.names[row][0], (0, 0, 0.0)), row) for row in rows.tolist()]
    taken.sort(key=lambda one: (one[0], one[1]))
    is_drawn = np.array([chance > 0 for _, _, chance, _ in taken], dtype=bool)
    if is_drawn.sum() < FEWEST_DRAWN:
        return None
    regions = Region.objects.filter(study=study).learnable().exclude(state=RegionState.EXCLUDED).count()
    pool = max(regions - (len(examples) - len(rows)), len(taken))
    proposal = np.where(is_drawn, 1 / (pool - np.arange(len(taken))), 0.0)
    order = np.array([row for *_, row in taken])
    weight = sampling.weigh_lure(proposal, pool=pool)
    measured = _measure(examples.labels[order], found.proba[order], examples.cases[order], weight)
    return {"drawn": int(is_drawn.sum()), **measured}


def _measure(
    truth: NDArray[np.integer],
    proba: NDArray[np.floating],
    cases: NDArray[np.integer],
    weight: NDArray[np.floating],
) -> dict[str, Any]:
    """Macro-F1 and accuracy with their intervals by case, each as [value, low, high], and how many items there were."""
    found: dict[str, Any] = {"items": len(truth)}
    for name, measure in (("macro_f1", metrics.measure_macro_f1), ("accuracy", metrics.measure_accuracy)):
        one = metrics.estimate_interval(truth=truth, proba=proba, cases=cases, measure=measure, weight=weight)
        found[name] = [round(float(value), _PLACES) for value in (one.value, one.low, one.high)]
    return found
