"""Gold as it stands: which regions, of which class today.

Decides what gold may still be asked: neither retired nor of a class that the rules in force have split, redefined or
dropped. Refuses to know when it is asked, and of whom.
"""

from collections import Counter
from collections.abc import Iterable

from django.db.models import QuerySet

from annotation import mapping
from annotation.models import Gold, Study


def usable(study: Study) -> QuerySet[Gold]:
    """Gold that is not retired, whatever became of its class."""
    return Gold.objects.filter(region__study=study, retired_at=None).select_related("region__slide").order_by("pk")


def labelled(rows: Iterable[Gold], *, study: Study) -> list[tuple[Gold, str]]:
    """Those of `rows` whose class holds under today's rules, with its code today."""
    table = mapping.exact_codes(study)
    pairs = ((row, table.get(row.protocol_id, {}).get(row.label, "")) for row in rows)
    return [(row, label) for row, label in pairs if label]


def count_by_class(study: Study, *, is_qualification: bool) -> Counter[str]:
    """How many regions of each of today's classes may be asked."""
    rows = usable(study).filter(is_qualification=is_qualification)
    return Counter(label for _, label in labelled(rows, study=study))
