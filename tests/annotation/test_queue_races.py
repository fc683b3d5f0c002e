"""Two people at one region at the same moment, each in a transaction and on a connection of their own."""

import time
from concurrent.futures import ThreadPoolExecutor

from django.db import connection, transaction

from annotation.models import Assignment, Region
from annotation.services import ledger, queue
from annotation.states import RegionState
from tests import factories


def test_undo_that_waits_for_the_settling_answer_opens_the_region_again(committed):
    study = factories.study(policy={"planted_check_rate": 0.0})
    factories.pick(factories.region(factories.slide(study)))
    one, two = factories.member(study), factories.member(study)
    first, second = queue.claim(member=one), queue.claim(member=two)
    submit(first, "first")
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            submit(second, "second")
            assert Region.objects.get(study=study).state == RegionState.SETTLED
            undoing = pool.submit(undo, first)
            wait_until_somebody_waits()
        fresh = undoing.result(timeout=30)
    region = Region.objects.select_related("current_revision").get(study=study)
    assert (region.state, region.current_revision.is_settled) == (RegionState.QUEUED, False)
    submit(fresh, "third")
    region.refresh_from_db()
    assert region.state == RegionState.SETTLED
    assert ledger.verify(study).ok


def submit(lease: Assignment, key: str) -> None:
    answer = {"kind": "class", "label": "neutrophil"}
    queue.submit(member=lease.annotator, token=lease.token, answer=answer, idempotency_key=key)


def undo(lease: Assignment) -> Assignment:
    try:
        return queue.undo(member=lease.annotator, token=lease.token, idempotency_key="undo")
    finally:
        connection.close()


def wait_until_somebody_waits() -> None:
    deadline = time.monotonic() + 20
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.02)
    raise AssertionError("The undo never had to wait.")
