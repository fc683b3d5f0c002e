from datetime import timedelta

import pytest

from annotation import clock
from annotation.errors import BadInput, Conflict
from annotation.models import Assignment
from annotation.services import ledger, picks, queue, truth
from annotation.states import MappingKind, PickState, RegionState, Role
from tests import factories
from tests.annotation import protocol_changes
from tests.annotation.answering import answer, submit

pytestmark = pytest.mark.django_db


def adjudicated_lease(study, pick):
    """A pick that two people could not settle, and the lease of the adjudicator who decides."""
    for label in ("neutrophil", "lymphocyte"):
        submit(factories.member(study), label)
    pick.refresh_from_db()
    assert pick.state == PickState.ADJUDICATION
    judge = factories.member(study, Role.ADJUDICATOR)
    return judge, queue.claim(member=judge, kind="adjudicate")


def test_undo_beside_an_adjudicator_opens_the_slots_that_skips_had_closed(study, pick):
    one = factories.member(study)
    row = submit(one)
    for _ in range(study.policy.max_skips):
        skipper = factories.member(study)
        queue.skip(member=skipper, token=queue.claim(member=skipper).token, reason="blurred")
    pick.refresh_from_db()
    assert pick.state == PickState.ADJUDICATION
    fresh = queue.undo(member=one, token=row.assignment.token, idempotency_key="u")
    queue.submit(member=one, token=fresh.token, answer=answer(), idempotency_key="again")
    pick.refresh_from_db()
    assert (pick.state, pick.slots_open) == (PickState.OPEN, 1)
    submit(factories.member(study))
    pick.refresh_from_db()
    assert pick.state == PickState.SETTLED


@pytest.mark.parametrize("exclude", [True, False])
def test_adjudicators_late_answer_does_not_override_a_managers_decision(study, exclude):
    pick = factories.pick(factories.region(factories.slide(study)), overlap=2)
    judge, lease = adjudicated_lease(study, pick)
    manager = factories.member(study, Role.MANAGER)
    word = None if exclude else answer("monocyte")
    truth.decide(region=pick.region, member=manager, answer=word, reason="I looked.", exclude=exclude)
    queue.submit(member=judge, token=lease.token, answer=answer(), idempotency_key="j", reason="Clear.")
    pick.region.refresh_from_db()
    assert pick.region.state == (RegionState.EXCLUDED if exclude else RegionState.SETTLED)
    assert pick.region.current_revision.actor == manager
    assert ledger.verify(study).ok


def test_adjudicators_second_answer_leaves_a_recheck_alone(study):
    pick = factories.pick(factories.region(factories.slide(study)), overlap=2)
    judge, lease = adjudicated_lease(study, pick)
    queue.submit(member=judge, token=lease.token, answer=answer(), idempotency_key="j", reason="Clear.")
    picks.recheck(study=study, regions=[pick.region], reason="borderline")
    fresh = queue.undo(member=judge, token=lease.token, idempotency_key="u")
    queue.submit(member=judge, token=fresh.token, answer=answer("monocyte"), idempotency_key="j2", reason="Clear.")
    pick.region.refresh_from_db()
    assert pick.region.state == RegionState.QUEUED
    assert not pick.region.current_revision.is_settled


def test_undo_of_a_region_that_is_held_again_is_refused_in_a_sentence(study, pick):
    one, two = factories.member(study), factories.member(study)
    row = submit(one)
    submit(two)
    picks.recheck(study=study, regions=[pick.region], reason="borderline")
    held = queue.claim(member=one)
    assert held.region_id == row.region_id
    with pytest.raises(Conflict, match="again"):
        queue.undo(member=one, token=row.assignment.token, idempotency_key="u")
    queue.submit(member=one, token=held.token, answer=answer(), idempotency_key="r")


def test_recheck_is_not_offered_to_whoever_holds_the_region(study, pick):
    one, two = factories.member(study), factories.member(study)
    row = submit(one)
    submit(two)
    fresh = queue.undo(member=one, token=row.assignment.token, idempotency_key="u")
    manager = factories.member(study, Role.MANAGER)
    truth.decide(region=pick.region, member=manager, answer=answer(), reason="Clear.")
    picks.recheck(study=study, regions=[pick.region], reason="borderline")
    Assignment.objects.filter(pk=fresh.pk).update(expires_at=clock.now() - timedelta(seconds=1))
    assert queue.claim(member=one) is None
    queue.expire()
    assert queue.claim(member=one).kind == "recheck"


def test_same_key_with_another_answer_is_refused(study, pick):
    ann = factories.member(study)
    lease = queue.claim(member=ann)
    queue.submit(member=ann, token=lease.token, answer=answer(), idempotency_key="k")
    with pytest.raises(Conflict, match="new key"):
        queue.submit(member=ann, token=lease.token, answer=answer("monocyte"), idempotency_key="k")


def test_region_that_everybody_skipped_goes_to_the_adjudicators(study, pick):
    for _ in range(2):
        ann = factories.member(study)
        queue.skip(member=ann, token=queue.claim(member=ann).token, reason="blurred")
    assert picks.escalate_stuck(study=study) == 1
    pick.refresh_from_db()
    assert pick.state == PickState.ADJUDICATION


def test_decision_in_a_study_of_classes_is_a_class(study, pick):
    manager = factories.member(study, Role.MANAGER)
    with pytest.raises(BadInput, match="one class per region"):
        truth.decide(region=pick.region, member=manager, answer={"kind": "ordinal", "grade": 2}, reason="Odd.")


def test_undo_sent_again_at_the_same_moment_of_virtual_time_returns_its_lease(study, pick):
    ann = factories.member(study)
    with clock.virtual(clock.now()):
        row = submit(ann)
        fresh = queue.undo(member=ann, token=row.assignment.token, idempotency_key="u")
        assert queue.undo(member=ann, token=row.assignment.token, idempotency_key="u") == fresh


def test_undo_sent_again_returns_its_lease_though_the_same_moment_had_others(study, pick):
    ann = factories.member(study)
    with clock.virtual(clock.now()):
        first = submit(ann)
        fresh = queue.undo(member=ann, token=first.assignment.token, idempotency_key="u1")
        queue.release(member=ann, token=fresh.token)
        again = submit(ann)
        latest = queue.undo(member=ann, token=again.assignment.token, idempotency_key="u2")
        assert again.assignment != fresh
        assert queue.undo(member=ann, token=first.assignment.token, idempotency_key="u1") == fresh
        assert queue.undo(member=ann, token=again.assignment.token, idempotency_key="u2") == latest
    assert fresh.withdrawal.parent == first


def test_undo_in_a_question_that_was_withdrawn_does_not_ask_it_again():
    row = protocol_changes.study(("a", "b"), policy={"min_overlap": 2})
    one = factories.member(row)
    on = factories.region(factories.slide(row))
    old = factories.pick(on, slots=2)
    protocol_changes.give(one, "a", on)
    row = protocol_changes.change(row, ("a1", "a2", "b"), {"a": (MappingKind.SPLIT, "a1", "a2")})
    truth.decide(region=on, member=factories.member(row, Role.MANAGER), answer=answer("a1"), reason="Clear.")
    fresh = queue.undo(member=one, token=one.assignments.get().token, idempotency_key="u")
    old.refresh_from_db()
    on.refresh_from_db()
    assert (old.state, on.state) == (PickState.SUPERSEDED, RegionState.SETTLED)
    queue.submit(member=one, token=fresh.token, answer=answer("b"), idempotency_key="k")
    on.refresh_from_db()
    assert (on.state, on.current_revision.label) == (RegionState.SETTLED, "a1")
    assert ledger.verify(row).ok
