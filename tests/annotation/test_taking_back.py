"""A session set aside, a ledger entry taken back: as new rows, in one entry, and undone by the same means."""

from datetime import timedelta

import pytest

from annotation import clock
from annotation.errors import BadInput, Conflict, Missing, Refused
from annotation.models import Annotation, Assignment, GroundTruthRevision, LedgerEntry, Pick, Region
from annotation.releasing import standing
from annotation.selectors import moments
from annotation.services import ledger, picks, queue, reviewing, truth
from annotation.states import AnswerKind, Method, PickState, RegionState, Role
from tests import factories
from tests.annotation.answering import answer, submit

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return factories.study(policy={"planted_check_rate": 0.0, "target_confidence": 0.8})


@pytest.fixture
def manager(study):
    return factories.member(study, Role.MANAGER)


def queued(study, count=1, **fields):
    slide = factories.slide(study)
    regions = [factories.region(slide) for _ in range(count)]
    for region in regions:
        factories.pick(region, **fields)
    return regions


def fresh(region):
    return Region.objects.select_related("current_revision").get(pk=region.pk)


def whole(study, person, manager, **fields):
    """Set everything aside that the person has ever said."""
    now = clock.now()
    values = {"since": now - timedelta(days=1), "until": now, "reason": "Drifted.", "member": manager, **fields}
    return reviewing.restore_session(study=study, person=person, **values)


def assert_sound(study):
    """The ledger holds, no revision is missing, and the last position is what the rows say."""
    assert ledger.verify(study).problems == []
    unexplained = GroundTruthRevision.objects.filter(study=study, reason="", evidence=[])
    assert not unexplained.exists(), "every truth has a reason, or answers it rests on"
    stood = standing.fold(ledger.links(study))
    newest = {name: row["number"] for name, row in stood.revisions.items()}
    rows = Region.objects.filter(study=study).exclude(current_revision=None)
    assert newest == dict(rows.values_list("public_id", "current_revision__number"))
    for region in rows:
        numbers = list(region.revisions.order_by("number").values_list("number", flat=True))
        assert numbers == list(range(1, len(numbers) + 1))
    for pick in Pick.objects.filter(study=study, state=PickState.OPEN):
        assert pick.slots_open == max(truth.count_unused(pick=pick), 0)


def test_what_remains_decides_or_the_region_is_asked_about_again(study, manager):
    three, two = queued(study, 2, slots=3), queued(study, 1, slots=2)
    people = [factories.member(study) for _ in range(3)]
    for person in people:
        for region in three + two:
            lease = queue.claim(member=person)
            if lease is None:
                break
            queue.submit(member=person, token=lease.token, answer=answer(), idempotency_key=f"{region.pk}")
    before = {row.pk: row for row in Annotation.objects.all()}
    done = whole(study, people[0], manager)
    assert (done.answers, done.kept, done.reopened) == (3, 2, 1)
    for region in three:
        now = fresh(region).current_revision
        assert (now.number, now.label, now.actor, len(now.evidence)) == (2, "neutrophil", manager, 2)
        assert people[0].pseudonym not in dict(now.evidence)
    opened = fresh(two[0])
    assert (opened.state, opened.current_revision.method) == (RegionState.QUEUED, Method.WITHDRAWAL)
    assert all(Annotation.objects.get(pk=pk).label == row.label for pk, row in before.items())
    entry = LedgerEntry.objects.get(study=study, kind="set-aside")
    assert entry.position == done.position and f'"by":"{manager.pseudonym}"' in entry.payload
    assert_sound(study)
    # Nobody who has answered it is asked again, and somebody else settles it.
    assert queue.claim(member=people[0]) is None
    submit(factories.member(study))
    assert fresh(two[0]).state == RegionState.SETTLED
    assert_sound(study)


def test_a_dry_run_tells_the_same_and_writes_nothing(study, manager):
    queued(study, 3)
    people = [factories.member(study) for _ in range(2)]
    for person in people * 3:
        submit(person)
    rows = Annotation.objects.count(), GroundTruthRevision.objects.count(), ledger.head(study)
    said = whole(study, people[0], manager, dry_run=True)
    assert (Annotation.objects.count(), GroundTruthRevision.objects.count(), ledger.head(study)) == rows
    assert not Pick.objects.filter(study=study, state=PickState.OPEN).exists()
    done = whole(study, people[0], manager)
    assert (said.answers, said.reopened, said.position) == (done.answers, done.reopened, None)


def test_only_the_session_is_set_aside_and_only_what_counts(study, manager):
    queued(study, 3, slots=3)
    person = factories.member(study)
    rows = [submit(person) for _ in range(3)]
    queue.undo(member=person, token=rows[2].assignment.token, idempotency_key="u")
    done = whole(study, person, manager, since=rows[1].created_at)
    assert (done.answers, done.waiting) == (1, 1)
    taken = Annotation.objects.filter(kind=AnswerKind.WITHDRAWN).values_list("parent", flat=True)
    assert set(taken) == {rows[1].pk, rows[2].pk}
    assert Pick.objects.get(region=rows[1].region).slots_open == 3
    with pytest.raises(Conflict, match="nothing to set aside"):
        whole(study, person, manager, since=rows[1].created_at)
    assert_sound(study)


def test_a_named_persons_decision_stands_and_an_adjudication_is_asked_for_again(study, manager):
    decided, tied = queued(study, 2, overlap=2)
    people = [factories.member(study) for _ in range(2)]
    for person, labels in zip(people, ("neutrophil", "monocyte"), strict=True):
        for _ in range(2):
            submit(person, labels)
    judge = factories.member(study, Role.ADJUDICATOR)
    for region in (decided, tied):
        lease = queue.claim(member=judge, kind="adjudicate")
        queue.submit(member=judge, token=lease.token, answer=answer(), idempotency_key=f"j{region.pk}", reason="Lobes.")
    truth.decide(region=fresh(decided), member=manager, answer=answer("monocyte"), reason="I looked.")
    assert whole(study, people[0], manager).decided == 2, "adjudicated and decided regions do not rest on it"
    done = whole(study, judge, manager)
    assert (done.decided, done.adjudicated) == (1, 1)
    assert fresh(tied).state == RegionState.ADJUDICATION
    assert queue.claim(member=factories.member(study, Role.ADJUDICATOR), kind="adjudicate").region == tied
    assert fresh(decided).current_revision.label == "monocyte"
    assert_sound(study)


def test_a_region_under_a_lease_keeps_it_and_only_the_lost_slot_opens(study, manager):
    (region,) = queued(study, slots=3)
    first, second = factories.member(study), factories.member(study)
    submit(first)
    held = queue.claim(member=second)
    whole(study, first, manager)
    assert Pick.objects.get(region=region).slots_open == 2
    queue.submit(member=second, token=held.token, answer=answer(), idempotency_key="late")
    assert Assignment.objects.get(pk=held.pk).state == "submitted"
    assert_sound(study)


def test_a_tie_that_lost_an_opinion_goes_back_to_the_annotators(study, manager):
    (region,) = queued(study, overlap=2)
    people = [factories.member(study) for _ in range(2)]
    submit(people[0], "neutrophil")
    submit(people[1], "monocyte")
    assert fresh(region).state == RegionState.ADJUDICATION
    assert whole(study, people[1], manager).waiting == 1
    assert (fresh(region).state, Pick.objects.get(region=region).slots_open) == (RegionState.QUEUED, 1)
    submit(factories.member(study), "neutrophil")
    assert fresh(region).current_revision.label == "neutrophil"
    assert_sound(study)


def test_setting_aside_is_taken_back_answers_and_truth(study, manager):
    regions = queued(study, 3, slots=2)
    people = [factories.member(study) for _ in range(2)]
    for person in people:
        for _ in regions:
            submit(person)
    labels = moments.count(moments.resolve(study))
    aside = whole(study, people[0], manager)
    assert aside.reopened == 3
    back = reviewing.restore_bulk(study=study, position=aside.position, member=manager, reason="It was the other one.")
    assert (back.restored, back.answers, back.changed) == (3, 3, [])
    assert moments.count(moments.resolve(study)) == labels
    for region in regions:
        now = fresh(region).current_revision
        assert now.method == Method.RESTORE
        assert {row.annotator for row in truth.effective(region.annotations.order_by("id"))} == set(people)
        assert set(now.annotation_ids) == {row.pk for row in truth.effective(region.annotations.order_by("id"))}
    assert_sound(study)
    again = whole(study, people[0], manager)
    assert (again.answers, again.reopened) == (3, 3), "what came back rests on the answers that came back"
    with pytest.raises(BadInput, match="set them aside again"):
        reviewing.restore_bulk(study=study, position=back.position, member=manager, reason="x")
    assert_sound(study)


def test_a_bulk_recheck_goes_back_but_for_what_was_changed_since(study, manager):
    regions = queued(study, 3)
    for person in [factories.member(study) for _ in range(2)]:
        for _ in regions:
            submit(person)
    picks.recheck(study=study, regions=regions, reason="In doubt.")
    position = ledger.head(study).position
    truth.decide(region=fresh(regions[0]), member=manager, answer=answer("monocyte"), reason="Seen.")
    done = reviewing.restore_bulk(study=study, position=position, member=manager, reason="Asked too soon.")
    assert (done.restored, done.changed) == (2, [regions[0].public_id])
    assert fresh(regions[0]).current_revision.label == "monocyte"
    assert {fresh(region).state for region in regions} == {RegionState.SETTLED}
    assert not Pick.objects.filter(state__in=truth.LIVE_PICKS).exists()
    undone = reviewing.restore_bulk(study=study, position=done.position, member=manager, reason="No, ask them.")
    assert undone.reopened == 2
    assert {fresh(region).state for region in regions[1:]} == {RegionState.QUEUED}
    assert len(queue.claim_batch(member=factories.member(study), count=5)) == 2
    assert_sound(study)


def test_changed_regions_go_back_too_where_that_is_asked_for(study, manager):
    (region,) = queued(study)
    for _ in range(2):
        submit(factories.member(study))
    truth.decide(region=fresh(region), member=manager, answer=None, reason="Blurred.", exclude=True)
    position = ledger.head(study).position
    truth.decide(region=fresh(region), member=manager, answer=answer("monocyte"), reason="Seen.")
    values = {"study": study, "position": position, "member": manager, "reason": "Sharp."}
    with pytest.raises(Conflict, match="1 changed since"):
        reviewing.restore_bulk(**values)
    said = reviewing.restore_bulk(**values, also_changed=True, dry_run=True)
    assert said.restored == 1 and fresh(region).current_revision.label == "monocyte"
    reviewing.restore_bulk(**values, also_changed=True)
    assert fresh(region).current_revision.label == "neutrophil"
    assert_sound(study)


def test_who_and_what_may_not_take_back(study, manager):
    queued(study)
    person = factories.member(study)
    row = submit(person)
    stranger = factories.member(factories.study(), Role.MANAGER)
    for member, error in ((person, Refused), (stranger, Missing)):
        with pytest.raises(error):
            whole(study, person, member)
        with pytest.raises(error):
            reviewing.restore_bulk(study=study, position=1, member=member, reason="x")
    with pytest.raises(BadInput, match="one person's answer"):
        reviewing.restore_bulk(study=study, position=1, member=manager, reason="x")
    with pytest.raises(Missing, match="no entry 9"):
        reviewing.restore_bulk(study=study, position=9, member=manager, reason="x")
    with pytest.raises(BadInput, match="reason"):
        whole(study, person, manager, reason=" ")
    with pytest.raises(BadInput, match="ends before"):
        whole(study, person, manager, until=row.created_at - timedelta(days=2))
