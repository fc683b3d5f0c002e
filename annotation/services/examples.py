"""Chooses the examples of the classes.

Decides which regions may be shown to everybody: none that still tests somebody. A region that was never queued is
taken out of the study for it, so that nobody is asked about what the guideline has answered.
"""

from django.db import transaction

from annotation.errors import BadInput, Conflict, Missing
from annotation.models import ClassExample, Gold, LabelClass, Membership, Region, Study
from annotation.services import truth
from annotation.states import AuditHalf, RegionState

MOST_PER_CLASS = 12


@transaction.atomic
def add(*, study: Study, member: Membership, region: str, label: str, caption: str = "") -> ClassExample:
    """Show a region (by its public id) as an example of the class; the same again only renews the caption.

    Conflict where the region is in the queue, in the audit sample or gold: as an example it would test nobody.
    """
    # First, as everywhere: the decision below waits for the study's row, too.
    study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    found = _class(study, label)
    row = Region.objects.select_for_update(of=("self",), no_key=True).filter(study=study, public_id=region).first()
    if row is None:
        raise Missing("There is no such region.")
    _check_open(row)
    others = ClassExample.objects.filter(label_class=found).exclude(region=row).count()
    if others >= MOST_PER_CLASS:
        raise BadInput(f"A class shows at most {MOST_PER_CLASS} examples: take one away first.")
    if row.state == RegionState.POOL:
        reason = f"Shown to everybody as an example of {found.name}."
        truth.decide(region=row, member=member, answer=None, exclude=True, reason=reason)
    values = {"caption": caption.strip()}
    example, _ = ClassExample.objects.update_or_create(label_class=found, region=row, defaults=values)
    return example


def remove(*, study: Study, region: str, label: str) -> None:
    """Show the region no more; nothing where it was not shown. A region taken out of the study stays out."""
    shown = ClassExample.objects.filter(label_class__protocol=study.protocol_id, label_class__code=label)
    shown.filter(region__public_id=region).delete()


def _class(study: Study, label: str) -> LabelClass:
    found = LabelClass.objects.filter(protocol=study.protocol_id, code=label).first()
    if found is None:
        raise BadInput(f"The protocol in force has no class '{label}'.")
    return found


def _check_open(region: Region) -> None:
    if region.audit_half != AuditHalf.NONE:
        raise Conflict("This region is in the audit sample, which nobody may be shown: choose another one.")
    if region.state in (RegionState.QUEUED, RegionState.ADJUDICATION):
        raise Conflict("People are being asked about this region: wait until it is settled, or choose another one.")
    if Gold.objects.filter(region=region, retired_at=None).exists():
        raise Conflict("This region is gold, which checks annotators: choose another one.")
