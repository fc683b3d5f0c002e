"""Protocols: a draft that is edited, then a numbered, immutable version of a study's classes.

Decides that a version is complete and enters the ledger; refuses to know how answers carry over (`mapping`).
"""

from collections.abc import Sequence

from django.db import transaction

from annotation import clock
from annotation.errors import BadInput, Conflict
from annotation.models import LabelClass, Protocol, Study
from annotation.services import ledger
from annotation.studyfolder import ClassPlan


def publish_first(*, study: Study, classes: Sequence[ClassPlan], guideline: str = "") -> Protocol:
    """Publish version 1 with `classes` in their order; Conflict where the study has a protocol already."""
    with transaction.atomic():
        save_draft(study=study, classes=classes, guideline=guideline)
        return publish_draft(study=study)


@transaction.atomic
def save_draft(*, study: Study, classes: Sequence[ClassPlan], guideline: str) -> Protocol:
    """Put `classes` and `guideline` in place of those of the study's draft of version 1.

    A class whose code stays keeps its row, and with it its examples. Conflict where a version is published.
    """
    study = _lock_unpublished(study)
    protocol, _ = Protocol.objects.get_or_create(study=study, number=1)
    protocol.guideline = guideline
    protocol.save(update_fields=["guideline"])
    known = {row.code: row for row in protocol.classes.all()}
    protocol.classes.exclude(code__in=[item.code for item in classes]).delete()
    # Two classes may have swapped their keys, and no two rows may have the same one in between.
    protocol.classes.update(key="")
    for position, item in enumerate(classes):
        row = known.get(item.code) or LabelClass(protocol=protocol, code=item.code)
        row.name, row.colour, row.key = item.name, item.colour, item.key
        row.definition, row.is_special, row.quota = item.definition, item.is_special, item.quota
        row.position = position
        row.save()
    return protocol


@transaction.atomic
def publish_draft(*, study: Study) -> Protocol:
    """Make the study's draft the rules in force: from now on it never changes."""
    study = _lock_unpublished(study)
    protocol = draft_of(study)
    if protocol is None or protocol.classes.filter(is_special=False).count() < 2:
        raise BadInput("A protocol needs at least two classes that are not special.")
    protocol.published_at = clock.now()
    protocol.save(update_fields=["published_at"])
    Study.objects.filter(pk=study.pk).update(protocol=protocol)
    ledger.append(study=study, kind="protocol", payload={"protocol": content(protocol)}, at=protocol.published_at)
    return protocol


def draft_of(study: Study) -> Protocol | None:
    """The version that is being written; None where there is none."""
    return Protocol.objects.filter(study=study, published_at=None).order_by("number").first()


def _lock_unpublished(study: Study) -> Study:
    study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    if study.protocol_id is not None:
        raise Conflict("The study has a protocol already: publish a new version with mappings instead.")
    return study


def content(protocol: Protocol) -> dict[str, object]:
    """What the ledger vouches for of a protocol."""
    return {
        "number": protocol.number,
        "guideline": protocol.guideline,
        "classes": [
            {
                "code": item.code,
                "name": item.name,
                "colour": item.colour,
                "key": item.key,
                "definition": item.definition,
                "special": item.is_special,
                "quota": item.quota,
            }
            for item in protocol.classes.order_by("position")
        ],
    }
