"""Makes a draft the rules in force, and in the same transaction the truth of the study agree with them.

Decides the order in which a version takes hold; what goes on by rule is `carrying`, what is seen again `asking`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from annotation import clock, mapping
from annotation.errors import BadInput, Conflict
from annotation.models import Membership, Pick, Protocol, Region, Study
from annotation.services import ledger, loop, truth
from annotation.services.protocols import asking, carrying, drafts, estimates, mappings
from annotation.studyfolder import ClassPlan

FEWEST_CLASSES = 2
_AT_ONCE = 5000


def publish_first(*, study: Study, classes: Sequence[ClassPlan], guideline: str = "") -> Protocol:
    """Publish version 1 with `classes` in their order; Conflict where the study has a protocol already."""
    with transaction.atomic():
        if drafts.lock(study).protocol_id is not None:
            raise Conflict("The study has a protocol already: publish a new version with mappings instead.")
        drafts.save_draft(study=study, classes=classes, guideline=guideline)
        return publish_draft(study=study)


@transaction.atomic
def publish_draft(*, study: Study, member: Membership | None = None, seen: str = "") -> Protocol:
    """Make the study's draft the rules in force: from now on it never changes.

    A later version carries over what goes on by rule, queues what has to be seen again, and writes one ledger entry.
    BadInput where the draft is not complete, Conflict where there is none or it is not that of the digest `seen`.
    """
    study = drafts.lock(study)
    draft = drafts.draft_of(study)
    if draft is None and study.protocol_id is not None:
        raise Conflict("There is no draft to publish: begin one first.")
    if draft is None or draft.classes.filter(is_special=False).count() < FEWEST_CLASSES:
        raise BadInput("A protocol needs at least two classes that are not special.")
    if seen and seen != drafts.digest(draft):
        raise Conflict("The draft has been changed since you looked at it. Look at what it does now, then publish.")
    draft.published_by = member
    return _begin(study, draft) if study.protocol is None else _follow(study, study.protocol, draft)


def _begin(study: Study, draft: Protocol) -> Protocol:
    at = _put_in_force(study, draft)
    ledger.append(study=study, kind="protocol", payload={"protocol": content(draft)}, at=at)
    return draft


def _follow(study: Study, before: Protocol, draft: Protocol) -> Protocol:
    plans = mappings.read(draft)
    mappings.check(plans, before=before.codes, after=draft.codes)
    if not draft.summary:
        raise BadInput("Say what this version changes, and why: everybody in the study will read it.")
    after = mapping.with_next(study, draft=draft)
    _lock_work(study, after)
    again = asking.find(study, after=after)
    estimates.recode_predictions(study, draft=draft)
    estimates.carry_examples(study, draft=draft)
    at = clock.now()
    estimates.carry_reliability(study, draft=draft, at=at)
    rows = carrying.carry_over(study, draft=draft, after=after, at=at)
    _, opened = asking.ask(study, again, draft=draft, at=at)
    _put_in_force(study, draft, at=at)
    loop.renew(study=study, trigger=f"protocol {draft.number}")
    entry = {**_entry(draft, plans), "rows": [*rows, *opened]}
    ledger.append(study=study, kind="protocol", payload=entry, at=at)
    return draft


def _lock_work(study: Study, after: mapping.Codes) -> None:
    """Whoever answers, takes back or decides waits for these rows, picks first, and then finds the new rules."""
    waiting = Pick.objects.filter(study=study, state__in=truth.LIVE_PICKS)
    list(waiting.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    ids: list[int] = []
    for changing in (carrying.carried(study, after=after), carrying.stale(study, after=after)):
        ids.extend(changing.values_list("region_id", flat=True))
    ids.sort()
    for start in range(0, len(ids), _AT_ONCE):
        chunk = Region.objects.filter(pk__in=ids[start : start + _AT_ONCE])
        list(chunk.select_for_update(no_key=True).order_by("pk").values_list("pk"))


def _put_in_force(study: Study, draft: Protocol, *, at: datetime | None = None) -> datetime:
    draft.published_at = at or clock.now()
    draft.save(update_fields=["published_at", "published_by"])
    Study.objects.filter(pk=study.pk).update(protocol=draft)
    return draft.published_at


def _entry(draft: Protocol, plans: Iterable[mappings.MappingPlan]) -> dict[str, Any]:
    return {
        "protocol": content(draft),
        "summary": draft.summary,
        "by": draft.published_by.pseudonym if draft.published_by else None,
        "mappings": [[plan.source, plan.kind, list(plan.targets)] for plan in plans],
    }


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
                # Only where there is one: what was written before classes had parents reads as it did.
                **({"parent": item.parent} if item.parent else {}),
            }
            for item in protocol.classes.order_by("position")
        ],
    }
