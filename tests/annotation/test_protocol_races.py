"""A version comes into force while others write, each on a connection of their own."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from annotation import mapping
from annotation.errors import ClassesChanged
from annotation.models import Annotation, Membership, Region, Study
from annotation.services import ledger, protocols, queue
from annotation.states import RegionState
from tests import factories
from tests.annotation.answering import answer
from tests.annotation.protocol_changes import RENAMED, SPLIT, change, draft, manager, study
from tests.annotation.test_queue_races import wait_until_somebody_waits

POLICY = {"target_confidence": 0.7, "planted_check_rate": 0.0, "audit_rate": 0.0}


def _submit(lease, label: str) -> Annotation | None:
    try:
        return queue.submit(
            member=lease.annotator, token=lease.token, answer=answer(label), idempotency_key=lease.token, protocol=1
        )
    except ClassesChanged:
        return None
    finally:
        connection.close()


@pytest.mark.parametrize("label", ["a", "b"])
def test_an_answer_that_waited_for_a_version_settles_by_the_new_one(committed, label: str) -> None:
    row = study(("a", "b", "c"), policy=POLICY)
    one, two = factories.member(row), factories.member(row)
    region = factories.region(factories.slide(row))
    factories.pick(region)
    first, second = queue.claim(member=one), queue.claim(member=two)
    _submit(first, label)
    draft(row, ("a1", "a2", "x", "c"), {"a": (SPLIT, "a1", "a2"), "b": (RENAMED, "x")})
    boss = manager(row)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            protocols.publish_draft(study=row, member=boss)
            waiting = pool.submit(_submit, second, label)
            wait_until_somebody_waits()
        given = waiting.result(timeout=30)
    region.refresh_from_db()
    if label == "a":
        assert given is None and region.state == RegionState.QUEUED and region.current_revision is None
    else:
        assert given is not None and given.protocol.number == 1
        assert region.state == RegionState.SETTLED and region.current_revision.label == "x"
    assert ledger.verify(row).ok


def test_people_who_answer_while_versions_come_never_settle_a_region_in_a_class_that_has_ended(committed) -> None:
    row = study(("a", "b", "c"), policy=POLICY)
    people = [factories.member(row) for _ in range(2)]
    boss = manager(row)
    for place in range(24):
        factories.pick(factories.region(factories.slide(row)), rank=place)
    ended = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        working = [pool.submit(_work, person, ended) for person in people]
        steps = [
            (("a1", "a2", "b", "c"), {"a": (SPLIT, "a1", "a2")}),
            (("a1", "a2", "y", "c"), {"b": (RENAMED, "y")}),
            (("a1", "a2", "y1", "y2", "c"), {"y": (SPLIT, "y1", "y2")}),
        ]
        try:
            for codes, plans in steps:
                row = change(row, codes, plans)
        finally:
            ended.set()
        answered = [one.result(timeout=60) for one in working]
    assert boss.pk and sum(answered) == Annotation.objects.filter(study=row).count() > 0
    table = mapping.exact_codes(row)
    for region in Region.objects.filter(study=row, state=RegionState.SETTLED).select_related("current_revision"):
        assert region.current_revision.label in table[region.current_revision.protocol_id]
    assert ledger.verify(row).ok


def _work(person: Membership, ended: threading.Event) -> int:
    """Answer what comes with the first class one sees; how many answers were taken."""
    taken = 0
    try:
        while not (ended.is_set() and taken):
            lease = queue.claim(member=person)
            if lease is None:
                return taken
            rules = Study.objects.select_related("protocol").get(pk=person.study_id).current_protocol
            send = {"member": person, "token": lease.token, "protocol": rules.number}
            label = rules.codes[taken % 2]
            try:
                queue.submit(**send, answer=answer(label), idempotency_key=f"{lease.token[:20]}-{rules.number}")
            except ClassesChanged:
                continue
            taken += 1
        return taken
    finally:
        connection.close()
