from datetime import timedelta

import pytest

from annotation import clock
from annotation.errors import BadInput, Conflict, LeaseLost, Missing, Refused
from annotation.models import Annotation, Assignment, Draft, GroundTruthRevision, LedgerEntry, Pick
from annotation.services import ledger, picks, queue
from annotation.states import AssignmentState, PickState, RegionState, Role, StudyState
from tests import factories
from tests.annotation.answering import answer, submit

pytestmark = pytest.mark.django_db


def test_claim_returns_the_live_lease_when_asked_again(study, pick):
    ann = factories.member(study)
    assert queue.claim(member=ann) == queue.claim(member=ann)
    pick.refresh_from_db()
    assert pick.slots_open == 1


def test_claim_says_nothing_only_when_nothing_is_left(study, pick):
    people = [factories.member(study) for _ in range(3)]
    assert queue.claim(member=people[0]) and queue.claim(member=people[1])
    assert queue.claim(member=people[2]) is None


def test_claim_prefers_what_has_begun_then_older_batches_then_rank(study):
    on = factories.slide(study)
    first, second, third = (factories.pick(factories.region(on)) for _ in range(3))
    Pick.objects.filter(pk=third.pk).update(has_begun=True)
    ann = factories.member(study)
    order = []
    for _ in range(3):
        order.append(queue.claim(member=ann).pick_id)
        queue.skip(member=ann, token=Assignment.objects.get(pick=order[-1]).token, reason="blurred")
    assert order == [third.pk, first.pk, second.pk]


def test_nobody_gets_a_region_twice(study, pick):
    ann = factories.member(study)
    submit(ann)
    assert queue.claim(member=ann) is None


def test_manager_may_not_label_and_annotator_may_not_adjudicate(study):
    with pytest.raises(Refused):
        queue.claim(member=factories.member(study, Role.MANAGER))
    with pytest.raises(Refused):
        queue.claim(member=factories.member(study), kind="adjudicate")


def test_two_agreeing_answers_settle_with_one_revision_and_two_ledger_entries(study, pick):
    submit(factories.member(study))
    submit(factories.member(study))
    revision = GroundTruthRevision.objects.get(region=pick.region)
    assert (revision.number, revision.label, revision.is_settled) == (1, "neutrophil", True)
    assert revision.confidence > 0.9
    assert revision.evidence == [["A1", 1], ["A2", 1]]
    pick.region.refresh_from_db()
    assert pick.region.state == RegionState.SETTLED
    assert LedgerEntry.objects.filter(study=study).count() == 2
    assert ledger.verify(study).ok


def test_disagreement_opens_slots_up_to_the_overlap_then_an_adjudicator_decides(study):
    pick = factories.pick(factories.region(factories.slide(study)), overlap=3)
    for label in ("neutrophil", "lymphocyte", "monocyte"):
        submit(factories.member(study), label)
    pick.refresh_from_db()
    assert pick.state == PickState.ADJUDICATION
    assert Annotation.objects.filter(region=pick.region).count() == 3
    judge = factories.member(study, Role.ADJUDICATOR)
    lease = queue.claim(member=judge, kind="adjudicate")
    queue.submit(member=judge, token=lease.token, answer=answer("monocyte"), idempotency_key="j", reason="Folded.")
    revision = GroundTruthRevision.objects.get(region=pick.region)
    assert (revision.label, revision.method) == ("monocyte", "adjudication")


def test_adjudicator_never_judges_a_region_he_or_she_answered(study):
    pick = factories.pick(factories.region(factories.slide(study)), overlap=2)
    judge = factories.member(study, Role.ADJUDICATOR)
    submit(judge, "neutrophil")
    submit(factories.member(study), "lymphocyte")
    pick.refresh_from_db()
    assert pick.state == PickState.ADJUDICATION
    assert queue.claim(member=judge, kind="adjudicate") is None


def test_second_submit_with_same_key_returns_first(study, pick):
    ann = factories.member(study)
    lease = queue.claim(member=ann)
    sent = {"member": ann, "token": lease.token, "answer": answer(), "idempotency_key": "k"}
    assert queue.submit(**sent) == queue.submit(**sent)
    assert Annotation.objects.count() == 1


def test_late_submit_is_refused_and_kept_as_one_draft(study, pick):
    ann = factories.member(study)
    lease = queue.claim(member=ann)
    Assignment.objects.filter(pk=lease.pk).update(expires_at=clock.now() - timedelta(seconds=1))
    for _ in range(2):
        with pytest.raises(LeaseLost, match="drafts"):
            queue.submit(member=ann, token=lease.token, answer=answer(), idempotency_key="k")
    assert Draft.objects.get(assignment=lease).content["answer"] == answer()
    assert not Annotation.objects.exists()


def test_expiry_gives_the_slot_back_to_others_and_to_the_same_person(study, pick):
    ann = factories.member(study)
    lease = queue.claim(member=ann)
    Assignment.objects.filter(pk=lease.pk).update(expires_at=clock.now() - timedelta(seconds=1))
    assert queue.expire() == 1
    pick.refresh_from_db()
    assert pick.slots_open == 2
    again = queue.claim(member=ann)
    assert again.pk != lease.pk and again.token != lease.token


def test_release_gives_the_slot_back_and_is_harmless_twice(study, pick):
    ann = factories.member(study)
    lease = queue.claim(member=ann)
    queue.release(member=ann, token=lease.token)
    queue.release(member=ann, token=lease.token)
    pick.refresh_from_db()
    assert pick.slots_open == 2


def test_renew_prolongs_and_refuses_an_ended_lease(study, pick):
    ann = factories.member(study)
    lease = queue.claim(member=ann)
    assert queue.renew(member=ann, token=lease.token).expires_at > lease.expires_at
    queue.release(member=ann, token=lease.token)
    with pytest.raises(LeaseLost):
        queue.renew(member=ann, token=lease.token)


def test_skip_needs_a_reason_and_enough_skips_call_an_adjudicator(study, pick):
    for number in range(study.policy.max_skips):
        ann = factories.member(study)
        lease = queue.claim(member=ann)
        if number == 0:
            with pytest.raises(BadInput):
                queue.skip(member=ann, token=lease.token, reason=" ")
        queue.skip(member=ann, token=lease.token, reason="out of focus")
        assert queue.claim(member=ann) is None
    pick.refresh_from_db()
    assert pick.state == PickState.ADJUDICATION


def test_token_of_another_person_is_missing(study, pick):
    lease = queue.claim(member=factories.member(study))
    with pytest.raises(Missing):
        queue.submit(member=factories.member(study), token=lease.token, answer=answer(), idempotency_key="k")


def test_unknown_class_is_named_with_the_known_ones(study, pick):
    ann = factories.member(study)
    lease = queue.claim(member=ann)
    with pytest.raises(BadInput, match="'banana'.*lymphocyte, monocyte, neutrophil"):
        queue.submit(member=ann, token=lease.token, answer=answer("banana"), idempotency_key="k")


def test_undo_takes_the_answer_back_and_leases_the_region_again(study, pick):
    one, two = factories.member(study), factories.member(study)
    submit(one)
    row = submit(two)
    fresh = queue.undo(member=two, token=row.assignment.token, idempotency_key="u")
    assert fresh == queue.undo(member=two, token=row.assignment.token, idempotency_key="u")
    pick.region.refresh_from_db()
    assert pick.region.state == RegionState.QUEUED
    assert [r.is_settled for r in GroundTruthRevision.objects.order_by("number")] == [True, False]
    queue.submit(member=two, token=fresh.token, answer=answer("lymphocyte"), idempotency_key="again")
    pick.refresh_from_db()
    assert (pick.state, pick.slots_open, pick.slots_granted) == (PickState.OPEN, 1, 3)
    assert [row.number for row in Annotation.objects.filter(annotator=two).order_by("id")] == [1, 2, 3]
    assert ledger.verify(study).ok


def test_undo_is_refused_after_its_minutes(study, pick):
    ann = factories.member(study)
    with clock.virtual(clock.now()):
        row = submit(ann)
        clock.advance(timedelta(minutes=study.policy.undo_minutes + 1))
        with pytest.raises(Conflict, match="minutes"):
            queue.undo(member=ann, token=row.assignment.token, idempotency_key="u")


def test_lease_lost_after_undo_gives_the_slot_back(study, pick):
    ann = factories.member(study)
    row = submit(ann)
    fresh = queue.undo(member=ann, token=row.assignment.token, idempotency_key="u")
    queue.release(member=ann, token=fresh.token)
    pick.refresh_from_db()
    assert pick.slots_open == 2


def test_draining_study_finishes_what_was_begun_and_a_closed_one_hands_out_nothing(study):
    on = factories.slide(study)
    begun, untouched = factories.pick(factories.region(on)), factories.pick(factories.region(on))
    submit(factories.member(study))
    study.state = StudyState.DRAINING
    study.save()
    assert picks.close_pool(study=study) == 1
    untouched.refresh_from_db()
    assert untouched.state == PickState.SUPERSEDED
    late = factories.member(study)
    assert queue.claim(member=late).pick_id == begun.pk
    study.state = StudyState.CLOSED
    study.save()
    assert queue.claim(member=factories.member(study)) is None


def test_recheck_asks_people_again_and_their_newest_answer_counts(study, pick):
    one, two = factories.member(study), factories.member(study)
    submit(one)
    submit(two)
    picks.recheck(study=study, regions=[pick.region], reason="borderline")
    pick.region.refresh_from_db()
    assert pick.region.state == RegionState.QUEUED
    submit(one, "lymphocyte")
    submit(two, "lymphocyte")
    revisions = GroundTruthRevision.objects.filter(region=pick.region).order_by("number")
    assert [(row.label, row.is_settled) for row in revisions] == [
        ("neutrophil", True),
        ("", False),
        ("lymphocyte", True),
    ]
    assert ledger.verify(study).ok


def test_recheck_waits_for_everybody_it_asked_also_with_a_fixed_overlap():
    study = factories.study(policy={"fixed_overlap": 2, "planted_check_rate": 0.0})
    pick = factories.pick(factories.region(factories.slide(study)), overlap=2)
    one, two = factories.member(study), factories.member(study)
    submit(one)
    submit(two)
    picks.recheck(study=study, regions=[pick.region], reason="borderline")
    submit(one, "lymphocyte")
    pick.region.refresh_from_db()
    assert pick.region.state == RegionState.QUEUED
    submit(two, "lymphocyte")
    pick.region.refresh_from_db()
    assert pick.region.current_revision.label == "lymphocyte"


def test_fixed_overlap_settles_after_exactly_that_many_answers():
    study = factories.study(policy={"fixed_overlap": 3, "consensus": "majority"})
    pick = factories.pick(factories.region(factories.slide(study)), slots=3, overlap=3)
    for label in ("neutrophil", "lymphocyte"):
        submit(factories.member(study), label)
        assert not GroundTruthRevision.objects.exists()
    submit(factories.member(study), "lymphocyte")
    assert GroundTruthRevision.objects.get(region=pick.region).label == "lymphocyte"


def test_planted_check_asks_on_to_the_maximum_and_keeps_what_would_have_been(study, pick):
    Pick.objects.filter(pk=pick.pk).update(is_planted_check=True)
    for number in range(2, pick.overlap):
        while Annotation.objects.count() < number:
            submit(factories.member(study))
        pick.refresh_from_db()
        assert (pick.state, pick.early_label, pick.early_answers) == (PickState.OPEN, "neutrophil", 2)
        assert pick.slots_open == 1
    submit(factories.member(study))
    pick.refresh_from_db()
    assert pick.state == PickState.SETTLED and Annotation.objects.count() == pick.overlap


def test_stuck_picks_go_to_the_adjudicators_when_no_annotator_is_left(study, pick):
    submit(factories.member(study))
    assert picks.escalate_stuck(study=study) == 1
    pick.refresh_from_db()
    assert pick.state == PickState.ADJUDICATION


def test_repeat_takes_no_slot_and_is_no_second_opinion():
    study = factories.study(policy={"repeat_rate": 1.0, "repeat_after_answers": 1, "planted_check_rate": 0.0})
    on = factories.slide(study)
    for _ in range(3):
        factories.pick(factories.region(on))
    ann = factories.member(study)
    first, _ = submit(ann), submit(ann)
    again = submit(ann, "lymphocyte")
    assert (again.assignment_kind, again.region_id) == ("repeat", first.region_id)
    assert again.parent is None
    assert not GroundTruthRevision.objects.exists()
    assert Assignment.objects.filter(state=AssignmentState.SUBMITTED, pick=None).count() == 1


def test_comment_enters_the_ledger_only_as_a_digest(study, pick):
    row = submit(factories.member(study), comment="looks like Dr Smith's slide")
    assert row.personal_text.text == "looks like Dr Smith's slide"
    assert "Smith" not in LedgerEntry.objects.get(study=study).payload
    row.personal_text.text = ""
    row.personal_text.save()
    assert ledger.verify(study).ok
