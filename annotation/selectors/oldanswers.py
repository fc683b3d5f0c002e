"""A person's own answer under older classes, for when the region is asked again.

Decides whether it is shown, as the study says; refuses to show anybody else's.
"""

from collections.abc import Sequence
from typing import Any

from annotation.models import Annotation, Assignment, LabelClass
from annotation.services import truth
from annotation.states import SLOT_KINDS, AssignmentKind


def own(assignments: Sequence[Assignment]) -> dict[int, dict[str, Any]]:
    """The holder's newest standing answer by assignment, where it was under an older version and is asked again."""
    again = [one for one in assignments if one.kind == AssignmentKind.RECHECK]
    if not again or not again[0].study.policy.show_old_answer:
        return {}
    rows = Annotation.objects.filter(annotator=again[0].annotator_id, region__in=[one.region_id for one in again])
    rows = rows.exclude(protocol=again[0].study.protocol_id).filter(assignment_kind__in=SLOT_KINDS)
    newest = {row.region_id: row for row in truth.effective(rows.select_related("protocol").order_by("id"))}
    names = _names({row.protocol_id for row in newest.values()})
    return {
        one.pk: {
            "label": row.label,
            "name": names.get((row.protocol_id, row.label), row.label),
            "protocol": row.protocol.number,
        }
        for one in again
        if (row := newest.get(one.region_id)) is not None
    }


def _names(protocols: set[int]) -> dict[tuple[int, str], str]:
    rows = LabelClass.objects.filter(protocol__in=protocols).values_list("protocol_id", "code", "name")
    return {(protocol, code): name for protocol, code, name in rows}
