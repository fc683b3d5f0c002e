"""What is entered: saved with a version, kept when the lease ends, laid before its author again."""

from datetime import timedelta

import pytest

from annotation import clock
from annotation.errors import Conflict, LeaseLost, Missing, StaleDraft
from annotation.models import Assignment, Draft
from annotation.selectors import queue as queue_reads
from annotation.services import queue
from tests import factories
from tests.annotation.answering import answer, submit

pytestmark = pytest.mark.django_db

TYPED = {"answer": None, "comment": "smudged nucleus", "flagged": True}


@pytest.fixture
def study():
    return factories.study(policy={"planted_check_rate": 0.0})


@pytest.fixture
def ann(study):
    factories.pick(factories.region(factories.slide(study)))
    return factories.member(study)


def let_time_run_out(lease):
    Assignment.objects.filter(pk=lease.pk).update(expires_at=clock.now() - timedelta(seconds=1))


def test_each_saving_counts_the_version_and_the_lease_shows_it(ann):
    lease = queue.claim(member=ann)
    save = {"member": ann, "token": lease.token}
    assert queue.save_entered(**save, content=TYPED, version=0) == 1
    assert queue.save_entered(**save, content=TYPED | {"comment": "clear"}, version=1) == 2
    shown = queue_reads.show(queue.claim(member=ann))
    assert (shown.entered["comment"], shown.entered_version) == ("clear", 2)


def test_second_tab_is_told_that_the_first_saved_something_else(ann):
    lease = queue.claim(member=ann)
    save = {"member": ann, "token": lease.token}
    queue.save_entered(**save, content=TYPED, version=0)
    assert queue.save_entered(**save, content=TYPED, version=0) == 1, "the same again is no conflict"
    with pytest.raises(StaleDraft) as told:
        queue.save_entered(**save, content=TYPED | {"comment": "other"}, version=0)
    assert told.value.details == {"version": 1, "content": TYPED}
    assert queue_reads.show(queue.claim(member=ann)).entered == TYPED


def test_saving_renews_no_lease(ann):
    lease = queue.claim(member=ann)
    queue.save_entered(member=ann, token=lease.token, content=TYPED, version=0)
    assert queue.claim(member=ann).expires_at == lease.expires_at


def test_what_was_entered_outlives_an_expired_lease_and_comes_back_with_the_region(ann):
    lease = queue.claim(member=ann)
    queue.save_entered(member=ann, token=lease.token, content=TYPED, version=0)
    let_time_run_out(lease)
    queue.expire()
    assert Draft.objects.get().content == TYPED
    again = queue.claim(member=ann)
    shown = queue_reads.show(again)
    assert again.token != lease.token
    assert (shown.entered, shown.entered_version) == (TYPED, 0)
    assert [draft.content for draft in queue_reads.drafts(ann)] == [TYPED]
    queue.submit(member=ann, token=again.token, answer=answer(), idempotency_key="k")
    assert queue_reads.drafts(ann) == []


def test_saving_too_late_is_kept_once_and_said(ann):
    lease = queue.claim(member=ann)
    let_time_run_out(lease)
    for _ in range(2):
        with pytest.raises(LeaseLost, match="drafts"):
            queue.save_entered(member=ann, token=lease.token, content=TYPED, version=0)
    assert Draft.objects.get().content == TYPED


def test_nothing_entered_leaves_no_draft(ann):
    lease = queue.claim(member=ann)
    queue.save_entered(
        member=ann, token=lease.token, content={"answer": None, "comment": "", "flagged": False}, version=0
    )
    queue.release(member=ann, token=lease.token)
    assert not Draft.objects.exists()


def test_comment_does_not_stay_behind_when_the_answer_is_given(ann):
    lease = queue.claim(member=ann)
    queue.save_entered(member=ann, token=lease.token, content=TYPED, version=0)
    queue.submit(member=ann, token=lease.token, answer=answer(), idempotency_key="k", comment="smudged nucleus")
    assert Assignment.objects.get(pk=lease.pk).entered is None


def test_late_submit_keeps_comment_and_flag(ann):
    lease = queue.claim(member=ann)
    let_time_run_out(lease)
    with pytest.raises(LeaseLost):
        queue.submit(
            member=ann,
            token=lease.token,
            answer=answer(),
            idempotency_key="k",
            comment="torn",
            flagged=True,
            seconds=2.5,
        )
    expected = {"answer": answer(), "comment": "torn", "flagged": True, "seconds": 2.5}
    assert Draft.objects.get().content == expected


def test_undo_lays_the_answer_before_its_author_again(ann):
    row = submit(ann, "lymphocyte", comment="small", flagged=True)
    fresh = queue.undo(member=ann, token=row.assignment.token, idempotency_key="u")
    assert queue_reads.show(fresh).entered == {"answer": answer("lymphocyte"), "comment": "small", "flagged": True}
    with pytest.raises(Conflict):
        queue.undo(member=ann, token=row.assignment.token, idempotency_key="u2")


def test_nobody_saves_under_another_ones_lease_or_sees_another_ones_draft(study, ann):
    lease = queue.claim(member=ann)
    with pytest.raises(Missing):
        queue.save_entered(member=factories.member(study), token=lease.token, content=TYPED, version=0)
    queue.save_entered(member=ann, token=lease.token, content=TYPED, version=0)
    queue.release(member=ann, token=lease.token)
    other = factories.member(study)
    assert queue_reads.show(queue.claim(member=other)).entered is None
    assert queue_reads.drafts(other) == []
