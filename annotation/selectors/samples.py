"""The acceptance sample of a pass as its managers see it: what sizes would tell, how far one is, what it found.

Decides which sizes are worth showing; refuses to tell which regions are in a sample before it is closed.
"""

from typing import Any

from django.db.models import Exists, OuterRef, Q

from annotation.models import AcceptanceSample, Annotation, ClassExample, ConsistencyPass, Gold, PassItem
from annotation.selectors import acceptance
from annotation.services.acceptance.sampling import FEWEST_OPINIONS, LARGEST
from annotation.states import PassState
from learning.consensus.acceptance import foresee

SIZES = (50, 100, 200, 400, 800)
_PACE_OVER = 500


def board(row: ConsistencyPass, *, size: int | None, share: float) -> dict[str, Any]:
    """Everything the panel of a pass shows; `share` is what the forecast assumes to be wrong."""
    population = count_population(row)
    largest = min(population, LARGEST)
    sizes = sorted({one for one in (*SIZES, size or 0) if 0 < one <= largest})
    seconds = _pace(row) if sizes else None
    busy = acceptance.open_sample(row.study)
    return {
        "population": population,
        "share": share,
        "foreseen": [_foresee(one, population, share, seconds) for one in sizes or ([largest] if largest else [])],
        "open_in": busy.consistency_pass.number if busy else None,
        "sample": of_pass(row),
    }


def newest(row: ConsistencyPass) -> AcceptanceSample | None:
    """The newest sample drawn from the pass."""
    return AcceptanceSample.objects.filter(consistency_pass=row).order_by("-number").first()


def of_pass(row: ConsistencyPass) -> dict[str, Any] | None:
    """The newest sample of the pass with its progress and, once closed, its result."""
    sample = newest(row)
    if sample is None:
        return None
    numbers = sample.numbers
    return {
        "number": sample.number,
        "state": sample.state,
        "opinions": sample.opinions,
        "created_at": sample.created_at,
        "closed_at": sample.closed_at,
        **acceptance.progress(sample),
        "wrong": len(numbers["wrong"]) if "wrong" in numbers else None,
        "share": numbers.get("share"),
        "after": numbers.get("after"),
    }


def count_population(row: ConsistencyPass) -> int:
    """How many regions a sample could draw: counted, not listed."""
    if row.state != PassState.DONE:
        return 0
    known = Q(Exists(Gold.objects.filter(region=OuterRef("region"))))
    known |= Q(Exists(ClassExample.objects.filter(region=OuterRef("region"))))
    open_to_all = PassItem.objects.filter(known, consistency_pass=row).count()
    return max(int(row.numbers.get("released", 0)) - open_to_all, 0)


def _foresee(size: int, population: int, share: float, seconds: float | None) -> dict[str, Any]:
    told = foresee(size=size, population=population, share=share)
    answers = size * FEWEST_OPINIONS
    return {
        "size": size,
        "low": told.low,
        "high": told.high,
        "answers": answers,
        "hours": None if seconds is None else round(answers * seconds / 3600, 2),
    }


def _pace(row: ConsistencyPass) -> float | None:
    """The median of the last answers' seconds."""
    rows = Annotation.objects.filter(study=row.study_id, seconds__isnull=False).order_by("-id")
    taken = sorted(one for one in rows.values_list("seconds", flat=True)[:_PACE_OVER] if one is not None)
    return taken[len(taken) // 2] if taken else None
