"""What one annotator may know of the queue: own rows and what was drawn for all, never what others did."""

from datetime import timedelta

import pytest

from annotation import clock
from annotation.api import workload as api
from annotation.models import Assignment, Pick, SelectionBatch
from annotation.selectors import queue as queue_reads
from annotation.selectors import workload
from annotation.services import picks, queue
from annotation.states import AssignmentKind, Role, StudyState
from tests import factories
from tests.annotation.answering import submit

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return factories.study(policy={"planted_check_rate": 0.0, "min_overlap": 2, "max_overlap": 4})


def draw(study, regions):
    on = factories.slide(study)
    first = factories.pick(factories.region(on))
    return [first, *(factories.pick(factories.region(on), batch=first.batch) for _ in range(regions - 1))]


def send_back(study, region, note="Look at the granules."):
    batch = picks.recheck(study=study, regions=[region], reason="in doubt")
    assert isinstance(batch, SelectionBatch)
    Pick.objects.filter(batch=batch).update(note=note)
    return batch


def settle(pick, label="neutrophil", people=2):
    """Other people's answers on one region."""
    for _ in range(people):
        person = factories.member(pick.study)
        lease = Assignment.objects.create(
            study=pick.study, region=pick.region, annotator=person, pick=pick,
            leased_at=clock.now(), expires_at=clock.now() + timedelta(minutes=5),
        )  # fmt: skip
        Pick.objects.filter(pk=pick.pk).update(slots_open=max(0, Pick.objects.get(pk=pick.pk).slots_open - 1))
        answer = {"kind": "class", "label": label}
        queue.submit(member=person, token=lease.token, answer=answer, idempotency_key=f"{person.pk}")


def shown(member, study):
    """My queue, less what only a clock changes."""
    found = api.QueueShape(api.overview(study=study, member=member), context={"study": study, "member": member}).data
    return dict(found)


def test_remaining_runs_from_an_equal_share_to_the_whole_batch(study):
    draw(study, 9)
    people = [factories.member(study) for _ in range(3)]
    left = workload.remaining(study=study, member=people[0])
    assert (left.low, left.high, left.seconds_each) == (6, 9, None)
    submit(people[0], seconds=4.0)
    submit(people[0], seconds=8.0)
    left = workload.remaining(study=study, member=people[0])
    assert (left.low, left.high, left.seconds_each) == (4, 7, 6.0)


def test_what_is_left_falls_alike_by_gold_repeats_rechecks_and_first_opinions(study):
    """A number that stood still after an answer would tell its author that the region was a check."""
    drawn = draw(study, 9)
    me = factories.member(study)
    submit(me)
    kinds = [AssignmentKind.GOLD, AssignmentKind.REPEAT, AssignmentKind.RECHECK, AssignmentKind.LABEL]
    seen = []
    for number, kind in enumerate(kinds):
        before = workload.remaining(study=study, member=me)
        lease = Assignment.objects.create(
            study=study, region=factories.region(drawn[0].region.slide), annotator=me, kind=kind,
            leased_at=clock.now(), expires_at=clock.now() + timedelta(minutes=5),
        )  # fmt: skip
        answer = {"kind": "class", "label": "neutrophil"}
        queue.submit(member=me, token=lease.token, answer=answer, idempotency_key=f"check {number}")
        after = workload.remaining(study=study, member=me)
        seen.append((before.low - after.low, before.high - after.high))
    assert seen == [(1, 1)] * 4


def test_nothing_in_my_queue_changes_when_others_answer(study):
    drawn = draw(study, 6)
    me = factories.member(study)
    others = [factories.member(study) for _ in range(2)]
    mine = submit(me)
    send_back(study, factories.region(drawn[0].region.slide), note="for nobody")
    queue.claim(member=me)
    before = shown(me, study)
    untouched = [pick for pick in drawn if not Assignment.objects.filter(pick=pick).exists()]
    for number, pick in enumerate(untouched):
        for person in others:
            lease = Assignment.objects.create(
                study=study, region=pick.region, annotator=person, pick=pick,
                leased_at=clock.now(), expires_at=clock.now() + timedelta(minutes=5),
            )  # fmt: skip
            Pick.objects.filter(pk=pick.pk).update(slots_open=0)
            answer = {"kind": "class", "label": "neutrophil"}
            queue.submit(member=person, token=lease.token, answer=answer, idempotency_key=f"{person.pk} {number}")
    assert Pick.objects.filter(state="settled").count() == len(untouched)
    assert shown(me, study) == before
    assert before["undo"]["region"] == mine.region.public_id


def test_sent_back_region_comes_first_with_its_note_for_those_who_answered_it(study):
    drawn = draw(study, 3)
    me, other = factories.member(study), factories.member(study)
    region = submit(me).region
    submit(other)
    assert Pick.objects.get(region=region).state == "settled"
    send_back(study, region)
    assert [(row.region_id, row.note) for row in workload.returned(me)] == [(region.pk, "Look at the granules.")]
    lease = queue.claim(member=me)
    assert lease.region_id == region.pk
    shown_lease = queue_reads.show(lease)
    assert (shown_lease.kind, shown_lease.note) == ("label", "Look at the granules.")
    queue.submit(member=me, token=lease.token, answer={"kind": "class", "label": "lymphocyte"}, idempotency_key="again")
    assert list(workload.returned(me)) == []
    assert len(drawn) == 3


def test_note_tells_a_newcomer_nothing(study):
    me, other, newcomer = (factories.member(study) for _ in range(3))
    draw(study, 1)
    region = submit(me).region
    submit(other)
    send_back(study, region)
    assert list(workload.returned(newcomer)) == []
    lease = queue.claim(member=newcomer)
    assert lease.region_id == region.pk
    assert queue_reads.show(lease).note == ""


def test_returned_region_stays_listed_although_others_took_all_its_slots(study):
    drawn = draw(study, 1)
    me, other = factories.member(study), factories.member(study)
    submit(me)
    submit(other)
    batch = send_back(study, drawn[0].region)
    before = [(row.region_id, row.note) for row in workload.returned(me)]
    settle(Pick.objects.get(batch=batch))
    assert [(row.region_id, row.note) for row in workload.returned(me)] == before


def test_skipped_regions_are_listed_with_their_reasons_to_their_author_only(study):
    draw(study, 2)
    me = factories.member(study)
    lease = queue.claim(member=me)
    queue.skip(member=me, token=lease.token, reason="out of focus")
    assert [(row.region_id, row.skip_reason) for row in workload.skipped(me)] == [(lease.region_id, "out of focus")]
    assert list(workload.skipped(factories.member(study))) == []


def test_undo_is_offered_for_the_newest_answer_within_its_minutes(study):
    draw(study, 3)
    me = factories.member(study)
    with clock.virtual(clock.now()):
        submit(me)
        clock.advance(timedelta(minutes=1))
        newest = submit(me, "monocyte")
        found = workload.undoable(study=study, member=me)
        assert (found.token, found.label) == (newest.assignment.token, "monocyte")
        fresh = queue.undo(member=me, token=found.token, idempotency_key="u")
        assert workload.undoable(study=study, member=me).token != found.token
        queue.release(member=me, token=fresh.token)
        clock.advance(timedelta(minutes=study.policy.undo_minutes + 1))
        assert workload.undoable(study=study, member=me) is None


@pytest.mark.parametrize(("state", "code"), [("draft", "draft"), ("closed", "closed"), ("draining", "draining")])
def test_empty_queue_names_the_state_of_the_study(study, state, code):
    study.state = StudyState(state)
    study.save()
    assert workload.reason_empty(study=study, member=factories.member(study)).code == code


def test_empty_queue_of_a_running_study_says_whether_anything_was_drawn_yet(study):
    me = factories.member(study)
    assert workload.reason_empty(study=study, member=me).code == "preparing"
    draw(study, 1)
    assert workload.reason_empty(study=study, member=me) is None
    submit(me)
    assert workload.reason_empty(study=study, member=me).code == "done"


def test_my_queue_takes_the_same_queries_whatever_it_holds(study, django_assert_num_queries):
    me = factories.member(study, Role.ADJUDICATOR)
    draw(study, 12)
    for number in range(6):
        queue.skip(member=me, token=queue.claim(member=me).token, reason=f"blurred {number}")
    queue.claim(member=me)
    with django_assert_num_queries(18):
        shown(me, study)
