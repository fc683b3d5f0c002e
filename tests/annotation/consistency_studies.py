"""Studies whose truth is known, answered through the queue, for tests of passes and releases."""

from typing import Any

from annotation import clock
from annotation.models import ConsistencyPass, Membership, Region, Release, Study
from annotation.services import passes, queue, truth
from annotation.states import Role
from tests import factories

LABELS = ("neutrophil", "lymphocyte", "monocyte")


def answered(
    *, regions: int = 6, slides: int = 3, people: int = 2, policy: dict[str, Any] | None = None
) -> tuple[Study, Membership]:
    """A study in which `people` agree on every region; and its manager."""
    values = {"planted_check_rate": 0.0, "target_confidence": 0.8, **(policy or {})}
    study = factories.study(policy=values)
    manager = factories.member(study, Role.MANAGER)
    placed = [factories.slide(study) for _ in range(slides)]
    for number in range(regions):
        row = factories.region(placed[number % slides], truth=LABELS[number % len(LABELS)])
        factories.pick(row, slots=people)
    for _ in range(people):
        answer_all(factories.member(study))
    return study, manager


def decided(*, regions: int, slides: int, policy: dict[str, Any] | None = None) -> tuple[Study, Membership]:
    """A study in which the manager decided every region, without any opinion: quick, where answers don't matter."""
    study = factories.study(policy=policy or {})
    manager = factories.member(study, Role.MANAGER)
    placed = [factories.slide(study) for _ in range(slides)]
    for number in range(regions):
        decide(factories.region(placed[number % slides]), manager, label=LABELS[number % len(LABELS)])
    return study, manager


def decide(region: Region, member: Membership, *, label: str) -> None:
    """The member's word for a region."""
    truth.decide(region=region, member=member, answer={"kind": "class", "label": label}, reason="Known.")


def answer_all(member: Membership, *, wrong: frozenset[str] = frozenset()) -> int:
    """Give the known truth to every region the queue offers; the next class where the region is in `wrong`."""
    count = 0
    while (lease := queue.claim(member=member)) is not None:
        region = Region.objects.select_related("known_truth").get(pk=lease.region_id)
        label = region.known_truth.label
        if region.public_id in wrong:
            label = LABELS[(LABELS.index(label) + 1) % len(LABELS)]
        answer = {"kind": "class", "label": label}
        queue.submit(member=member, token=lease.token, answer=answer, idempotency_key=f"{lease.pk}")
        count += 1
    return count


def run_pass(study: Study, member: Membership | None = None) -> ConsistencyPass:
    """A pass, run here."""
    return passes.execute(passes.start(study=study, member=member))


def insert_release(row: ConsistencyPass) -> Release:
    """A release past the service, for what the database itself refuses."""
    return Release.objects.create(
        study=row.study,
        number=1,
        consistency_pass=row,
        manifest_digest="0" * 64,
        stored_name="x",
        items_count=0,
        created_at=clock.now(),
    )
