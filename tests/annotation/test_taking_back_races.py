"""People answer, undo and settle while a manager sets sessions aside and takes that back: nothing is torn or stuck."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from threading import Event

from django.db import connections

from annotation import clock
from annotation.errors import ConcordError
from annotation.models import Annotation, LedgerEntry, Pick, Region
from annotation.services import ledger, queue, reviewing, truth
from annotation.states import AnswerKind, PickState, Role
from tests import factories
from tests.annotation.answering import answer


def test_sessions_are_set_aside_while_their_authors_go_on(committed):
    study = factories.study(policy={"planted_check_rate": 0.0, "target_confidence": 0.8})
    slide = factories.slide(study)
    for _ in range(6):
        factories.pick(factories.region(slide))
    people = [factories.member(study) for _ in range(3)]
    manager = factories.member(study, Role.MANAGER)
    stopped = Event()
    with ThreadPoolExecutor(4) as pool:
        working = [pool.submit(apart, work, person, number) for number, person in enumerate(people)]
        reviewing_ = pool.submit(apart, review, study, people, manager, stopped)
        try:
            for one in working:
                one.result(timeout=90)
        finally:
            stopped.set()
        assert reviewing_.result(timeout=90) >= 1
    assert LedgerEntry.objects.filter(study=study, kind="set-aside").exists()
    assert ledger.verify(study).problems == []
    for region in Region.objects.filter(study=study):
        numbers = list(region.revisions.order_by("number").values_list("number", flat=True))
        assert numbers == list(range(1, len(numbers) + 1))
    for pick in Pick.objects.filter(study=study, state=PickState.OPEN):
        assert pick.slots_open == max(truth.count_unused(pick=pick), 0)
        given = truth.effective(Annotation.objects.filter(region=pick.region_id).order_by("id"))
        assert len({row.annotator_id for row in given}) == len(given)


def apart(run, *arguments):
    try:
        return run(*arguments)
    finally:
        connections["default"].close()


def work(person, seed):
    """Answer what comes, and take every fifth answer back at once."""
    for turn in range(8):
        lease = queue.claim(member=person)
        if lease is None:
            return
        with suppress(ConcordError):
            label = factories.CODES[(turn + seed) % 2]
            queue.submit(member=person, token=lease.token, answer=answer(label), idempotency_key=f"{turn}")
            if not turn % 5:
                queue.undo(member=person, token=lease.token, idempotency_key=f"u{turn}")


def review(study, people, manager, stopped):
    """Set one person's whole work aside after the other, and take every second of these back."""
    done = 0
    while not stopped.is_set() or not done:
        now = clock.now()
        with suppress(ConcordError):
            aside = reviewing.restore_session(
                study=study,
                person=people[done % 3],
                since=now - timedelta(days=1),
                until=now,
                member=manager,
                reason="?",
            )
            done += 1
            if done % 2:
                reviewing.restore_bulk(study=study, position=aside.position, member=manager, reason="No.")
        if stopped.is_set() and not Annotation.objects.filter(study=study).exclude(kind=AnswerKind.WITHDRAWN).exists():
            break
    return done
