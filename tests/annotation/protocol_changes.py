"""A study whose classes change: versions in one line, and truths as people would have settled them."""

from collections.abc import Sequence
from typing import Any

from annotation.models import Membership, Protocol, Region, Study
from annotation.services import protocols, queue
from annotation.services.protocols import MappingPlan
from annotation.states import MappingKind, Role
from annotation.studyfolder import ClassPlan
from tests import factories
from tests.annotation.answering import answer

SAME, RENAMED, MERGED = MappingKind.SAME, MappingKind.RENAMED, MappingKind.MERGED
SPLIT, RETIRED, REDEFINED = MappingKind.SPLIT, MappingKind.RETIRED, MappingKind.REDEFINED


def classes(codes: Sequence[str]) -> list[ClassPlan]:
    """Plain classes of these codes."""
    return [
        ClassPlan(code, code.title(), f"#{place * 2_000_003 % 0xFFFFFF:06x}", "", f"What {code} looks like.")
        for place, code in enumerate(codes, 1)
    ]


def study(codes: Sequence[str], **fields: Any) -> Study:
    """A running study whose first version was published by the service, so that it stands in the ledger."""
    row = factories.StudyFactory(policy_values=fields.pop("policy", {}), **fields)
    protocols.publish_first(study=row, classes=classes(codes))
    return Study.objects.select_related("protocol").get(pk=row.pk)


def draft(row: Study, codes: Sequence[str], plans: dict[str, tuple[Any, ...]]) -> Protocol:
    """The draft of the next version; `plans` is class -> (kind, target, ...), all others stay the same."""
    if protocols.draft_of(row) is None:
        protocols.begin_draft(study=row)
    row = Study.objects.select_related("protocol").get(pk=row.pk)
    assert row.protocol is not None
    every = [MappingPlan(code, *_plan(plans.get(code, (SAME, code)))) for code in row.protocol.codes]
    return protocols.save_draft(
        study=row, classes=classes(codes), guideline="", plans=every, summary="So that the classes fit what people see."
    )


def _plan(plan: tuple[Any, ...]) -> tuple[MappingKind, tuple[str, ...]]:
    return plan[0], tuple(plan[1:])


def change(row: Study, codes: Sequence[str], plans: dict[str, tuple[Any, ...]]) -> Study:
    """The study under its next version."""
    draft(row, codes, plans)
    protocols.publish_draft(study=row, member=manager(row))
    return Study.objects.select_related("protocol").get(pk=row.pk)


def manager(row: Study) -> Membership:
    """The study's manager."""
    return row.memberships.filter(role=Role.MANAGER).first() or factories.member(row, Role.MANAGER)


def settle(row: Study, label: str, *people: Membership, audit: str = "", given: Sequence[str] = ()) -> Region:
    """A region that `people` have answered with `label`, or each with the own of `given`."""
    on = factories.slide(row, case=factories.case(row, f"case-{audit or 'x'}", audit_half=audit))
    region = factories.region(on, audit_half=audit)
    factories.pick(region, slots=len(people))
    for place, person in enumerate(people):
        give(person, given[place] if given else label, region)
    region.refresh_from_db()
    return region


def give(person: Membership, label: str, region: Region) -> None:
    """One answer on this very region, which must be the next in the queue."""
    lease = queue.claim(member=person)
    assert lease is not None and lease.region_id == region.pk
    key = f"{person.pseudonym}-{lease.pk}"
    queue.submit(member=person, token=lease.token, answer=answer(label), idempotency_key=key)
