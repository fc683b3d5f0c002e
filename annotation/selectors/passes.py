"""What a manager asks of a pass: its job while it runs, and how far the study has moved on since.

Decides which ledger entries make a pass stale; refuses to run or start one.
"""

from typing import Any

from django.db.models import Count

from annotation.models import ConsistencyPass, Domain, Job, LedgerEntry, LedgerHead
from annotation.states import JobKind

BOOKKEEPING = frozenset({"bulk", "finding", "pass", "release"})
"""Ledger entries that change no truth: a pass is not stale for them."""
_COUNTED = 10_000


def job(row: ConsistencyPass) -> Job | None:
    """The background work that runs the pass."""
    return Job.objects.filter(study=row.study_id, kind=JobKind.CONSISTENCY_PASS, key=str(row.number)).first()


def moves_since(row: ConsistencyPass) -> dict[str, Any]:
    """What the ledger holds after the pass's position: entries in all, and how many of each kind change the truth.

    Counted over the first 10,000 entries only, so that it costs the same however long ago the pass was.
    """
    head = LedgerHead.objects.filter(study=row.study_id).values_list("position", flat=True).first()
    entries = max((head or 0) - row.ledger_position, 0)
    newer = LedgerEntry.objects.filter(
        study=row.study_id,
        position__gt=row.ledger_position,
        position__lte=row.ledger_position + _COUNTED,
    )
    counted = newer.order_by("kind").values_list("kind").annotate(count=Count("pk"))
    kinds = {kind: count for kind, count in counted if kind not in BOOKKEEPING}
    return {"entries": entries, "is_capped": entries > _COUNTED, "kinds": kinds, "changes": sum(kinds.values())}


def domains(row: ConsistencyPass) -> list[str]:
    """The names of the study's domains, for a filter."""
    return list(Domain.objects.filter(study=row.study_id).order_by("name").values_list("name", flat=True))
