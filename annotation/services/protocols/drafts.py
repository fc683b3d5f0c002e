"""The draft of the next version: begun from the one in force, edited, thrown away.

Decides what a draft may hold; refuses to know what publishing it does to answers (`publishing`).
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.db import transaction

from annotation import canonical
from annotation.errors import BadInput, Conflict, Missing
from annotation.models import LabelClass, Protocol, Study
from annotation.services import classlist
from annotation.services.protocols import mappings
from annotation.services.protocols.mappings import MappingPlan
from annotation.studyfolder import ClassPlan

LONGEST_SUMMARY = 2000


@transaction.atomic
def begin_draft(*, study: Study) -> Protocol:
    """A draft of the next version, so far the same as the one in force; Conflict where there is a draft already."""
    study = lock(study)
    current = study.current_protocol
    if draft_of(study) is not None:
        raise Conflict("There is a draft of the next version already: go on with it, or throw it away first.")
    draft = Protocol.objects.create(study=study, number=current.number + 1)
    _write(draft, classes=class_plans(current), guideline=current.guideline)
    mappings.write(draft, mappings.propose(current, draft))
    return draft


@transaction.atomic
def save_draft(
    *,
    study: Study,
    classes: Sequence[ClassPlan],
    guideline: str,
    plans: Sequence[MappingPlan] | None = None,
    summary: str | None = None,
) -> Protocol:
    """Put `classes`, `guideline`, mappings and summary in place of the draft's; version 1 has no mappings.

    Without `plans`, codes and definitions decide as `mappings.propose` says. A class whose code stays keeps its row,
    and with it its examples. BadInput names every class whose mapping does not hold; Conflict where nothing is drafted.
    """
    study = lock(study)
    draft = _draft_to_edit(study)
    _write(draft, classes=classes, guideline=guideline)
    if summary is not None:
        draft.summary = _check_summary(summary)
        draft.save(update_fields=["summary"])
    if study.protocol is not None:
        found = mappings.propose(study.protocol, draft) if plans is None else plans
        mappings.check(found, before=study.protocol.codes, after=[item.code for item in classes])
        mappings.write(draft, found)
    elif plans:
        raise BadInput("The first version continues no other: it has no mappings.")
    return draft


@transaction.atomic
def edit_draft(
    *,
    study: Study,
    classes: list[dict[str, Any]],
    guideline: str,
    plans: Sequence[MappingPlan],
    summary: str,
    seen: str = "",
) -> Protocol:
    """As `save_draft`, from what a person has typed: BadInput names each field that does not hold.

    Conflict where the draft is no longer that of the digest `seen`: somebody else's work would be lost.
    """
    study = lock(study)
    draft = draft_of(study)
    if draft is None or study.protocol is None:
        raise Conflict("There is no draft of a later version: begin one first.")
    if seen and seen != digest(draft):
        raise Conflict("The draft has been changed elsewhere meanwhile. Load the page again to go on from there.")
    before = [*class_plans(study.protocol), *class_plans(draft)]
    rows, text = classlist.check(classes, guideline, before=before)
    return save_draft(study=study, classes=rows, guideline=text, plans=plans, summary=summary)


def digest(protocol: Protocol) -> str:
    """Changes whenever anything that can be edited of the version does."""
    return canonical.digest(
        {
            "classes": [asdict(item) for item in class_plans(protocol)],
            "guideline": protocol.guideline,
            "summary": protocol.summary,
            "mappings": [[plan.source, plan.kind, plan.targets] for plan in mappings.read(protocol)],
        }
    )


@transaction.atomic
def discard_draft(*, study: Study) -> None:
    """Throw the draft of a later version away; Missing where there is none."""
    study = lock(study)
    draft = draft_of(study)
    if draft is None or study.protocol_id is None:
        raise Missing("There is no draft to throw away.")
    draft.delete()


def draft_of(study: Study) -> Protocol | None:
    """The version that is being written; None where there is none."""
    return Protocol.objects.filter(study=study, published_at=None).order_by("number").first()


def lock(study: Study) -> Study:
    """The study with the protocol in force, both as they are once nobody else changes them."""
    Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    return Study.objects.select_related("protocol").get(pk=study.pk)


def class_plans(protocol: Protocol) -> list[ClassPlan]:
    """The classes of a version as plain values, in their order."""
    return [
        ClassPlan(
            code=row.code,
            name=row.name,
            colour=row.colour,
            key=row.key,
            definition=row.definition,
            is_special=row.is_special,
            quota=row.quota,
            parent=row.parent,
        )
        for row in protocol.classes.order_by("position", "code")
    ]


def _draft_to_edit(study: Study) -> Protocol:
    draft = draft_of(study)
    if draft is None and study.protocol_id is not None:
        raise Conflict("A published version never changes: begin a draft of the next one.")
    return draft or Protocol.objects.create(study=study, number=1)


def _check_summary(summary: str) -> str:
    if len(summary) > LONGEST_SUMMARY or "\x00" in summary:
        raise BadInput(f"Say what changes and why in at most {LONGEST_SUMMARY} characters.")
    return summary.strip()


def _write(draft: Protocol, *, classes: Sequence[ClassPlan], guideline: str) -> None:
    draft.guideline = guideline
    draft.save(update_fields=["guideline"])
    known = {row.code: row for row in draft.classes.all()}
    draft.classes.exclude(code__in=[item.code for item in classes]).delete()
    # Two classes may have swapped their keys, and no two rows may have the same one in between.
    draft.classes.update(key="")
    for position, item in enumerate(classes):
        row = known.get(item.code) or LabelClass(protocol=draft, code=item.code)
        row.name, row.colour, row.key = item.name, item.colour, item.key
        row.definition, row.is_special, row.quota = item.definition, item.is_special, item.quota
        row.parent, row.position = item.parent, position
        row.save()
