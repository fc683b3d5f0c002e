"""Publishing protocols: numbered, immutable versions of a study's classes.

Decides that a version is complete and enters the ledger; refuses to know how answers carry over (`mapping`).
"""

from collections.abc import Sequence

from django.db import transaction

from annotation import clock
from annotation.errors import BadInput, Conflict
from annotation.models import LabelClass, Protocol, Study
from annotation.services import ledger
from annotation.studyfolder import ClassPlan


@transaction.atomic
def publish_first(*, study: Study, classes: Sequence[ClassPlan], guideline: str = "") -> Protocol:
    """Publish version 1 with `classes` in their order; Conflict where the study has a protocol already."""
    study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    if study.protocol_id is not None:
        raise Conflict("The study has a protocol already: publish a new version with mappings instead.")
    if sum(not item.is_special for item in classes) < 2:
        raise BadInput("A protocol needs at least two classes that are not special.")
    at = clock.now()
    protocol = Protocol.objects.create(study=study, number=1, guideline=guideline, published_at=at)
    LabelClass.objects.bulk_create(
        LabelClass(
            protocol=protocol,
            code=item.code,
            name=item.name,
            colour=item.colour,
            key=item.key,
            definition=item.definition,
            is_special=item.is_special,
            quota=item.quota,
            position=position,
        )
        for position, item in enumerate(classes)
    )
    Study.objects.filter(pk=study.pk).update(protocol=protocol)
    ledger.append(study=study, kind="protocol", payload={"protocol": content(protocol)}, at=at)
    return protocol


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
