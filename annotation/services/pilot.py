"""The pilot of a study: while it runs, half of each batch is ranked and half is drawn by chance.

Decides when it runs and which settled regions belong to which half; refuses to compare the halves (`learning.pilot`).
"""

from dataclasses import dataclass

from django.db.models import Count, QuerySet
from django.db.models.functions import Coalesce

from annotation.models import Pick, Study
from annotation.states import WITHDRAWABLE_STRATA, AuditHalf, PickState, RegionState, Stratum

SHARE = 0.5
"""Of a batch, drawn by chance while the pilot runs."""
MARK = "pilot"
"""The key among a batch's numbers that says that it belongs to the pilot."""


@dataclass(frozen=True, slots=True)
class Halves:
    """Public ids of settled regions in the order in which they settled, and how many answers each took."""

    ranked: dict[str, int]
    random: dict[str, int]


def is_running(study: Study) -> bool:
    """Whether the study wants a pilot and has not settled enough of its regions yet."""
    wanted = study.policy.pilot_regions
    return wanted > 0 and _settled(study)[:wanted].count() < wanted


def count_settled(study: Study) -> int:
    """Settled regions of the pilot, of both halves."""
    return _settled(study).count()


def read_halves(study: Study) -> Halves:
    """Who belongs where: what a model or typicality chose, and what chance drew."""
    rows = _settled(study).annotate(given=Coalesce(Count("assignments__annotations"), 0)).order_by("closed_at", "pk")
    halves = Halves({}, {})
    for name, stratum, given in rows.values_list("region__public_id", "stratum", "given"):
        half = halves.random if stratum == Stratum.RANDOM else halves.ranked
        half[name] = max(given, 1)  # who decides without any answer has looked as well
    return halves


def _settled(study: Study) -> QuerySet[Pick]:
    return Pick.objects.filter(
        study=study,
        state=PickState.SETTLED,
        stratum__in=[*WITHDRAWABLE_STRATA, Stratum.RANDOM],
        batch__numbers__has_key=MARK,
        region__state=RegionState.SETTLED,
        region__audit_half=AuditHalf.NONE,
    )
