"""What stood at every position of a lived-in ledger, against the fold of the ledger itself."""

from datetime import timedelta

import pytest

from annotation import clock
from annotation.errors import BadInput
from annotation.models import Annotation, GroundTruthRevision, LedgerEntry
from annotation.releasing import standing
from annotation.selectors import history, moments
from annotation.services import ledger, picks, queue, reviewing, truth
from annotation.states import Method, Role
from tests import factories
from tests.annotation.answering import answer, submit

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    """Answers, an undo, decisions, a recheck of two regions, a region left out, a restore."""
    row = factories.study(policy={"planted_check_rate": 0.0})
    slide = factories.slide(row)
    regions = [factories.region(slide) for _ in range(5)]
    for region in regions:
        factories.pick(region)
    people = [factories.member(row) for _ in range(3)]
    for number, region in enumerate(regions):
        for person in people[:2]:
            submit(person, factories.CODES[number % 3])
        region.refresh_from_db()
    first = Annotation.objects.order_by("id").first()
    queue.undo(member=first.annotator, token=first.assignment.token, idempotency_key="undone")
    manager = factories.member(row, Role.MANAGER)
    truth.decide(region=regions[1], member=manager, answer=answer("monocyte"), reason="Folded.")
    truth.decide(region=regions[2], member=manager, answer=None, reason="Blurred.", exclude=True)
    picks.recheck(study=row, regions=regions[3:], reason="In doubt.")
    reviewing.restore(region=regions[1], member=manager, number=1, reason="It was right.")
    submit(people[2], "lymphocyte")
    return row


def folded(study, position):
    return standing.fold(ledger.links(study, upto=position))


def told(moment):
    rows = moments.newest_revisions(moment).values_list("region__public_id", "number")
    return dict(rows)


def said(moment, member):
    rows = moments.standing_answers(moment, member).values_list("region__public_id", "number")
    return dict(rows)


def assert_every_position_is_as_the_ledger_says(study):
    members = list(study.memberships.all())
    for position in range(ledger.head(study).position + 1):
        moment, wanted = moments.resolve(study, position=position), folded(study, position)
        assert told(moment) == {region: row["number"] for region, row in wanted.revisions.items()}, position
        for member in members:
            own = {region: row["number"] for (region, who), row in wanted.answers.items() if who == member.pseudonym}
            assert said(moment, member) == own, (position, member)


def test_every_position_is_as_the_ledger_says(study):
    assert ledger.head(study).position > 12
    assert_every_position_is_as_the_ledger_says(study)


def test_entries_that_overtook_each_other_stand_in_the_order_of_the_ledger(study):
    """Whoever read the clock first may lock the head last."""
    region = study.regions.order_by("id").first()
    now = clock.now() + timedelta(hours=1)
    for seconds in (5, 1, 1, 3, 9, 2):
        region.refresh_from_db()
        at = now + timedelta(seconds=seconds)
        row = truth.revise(
            region=region, study=study, answer=answer(), confidence=1.0, posterior={}, method=Method.CONSISTENCY,
            evidence=[], snapshot=None, actor=study.memberships.last(), reason="Said late.", at=at,
        )  # fmt: skip
        ledger.append(study=study, kind="revision", payload={"revision": row.content()}, at=at)
    assert_every_position_is_as_the_ledger_says(study)
    last = moments.resolve(study, at=now + timedelta(seconds=4))
    assert last.position == ledger.head(study).position, "a time is the last entry at or before it"


def test_a_time_is_the_last_position_at_or_before_it(study):
    entries = list(LedgerEntry.objects.filter(study=study).order_by("position"))
    for entry in entries:
        assert moments.resolve(study, at=entry.created_at).position == entry.position
    assert moments.resolve(study, at=entries[0].created_at - timedelta(seconds=1)).position == 0
    assert moments.resolve(study).position == len(entries)
    for wrong in (-1, len(entries) + 1):
        with pytest.raises(BadInput, match="no entry"):
            moments.resolve(study, position=wrong)


def states(study, position):
    found = {}
    for region, row in folded(study, position).revisions.items():
        state = moments.state_of(row["settled"], row["excluded"])
        found[region] = (row["label"] if state == "settled" else "", state)
    return found


def test_two_moments_differ_as_the_folds_of_the_ledger_do(study):
    end = ledger.head(study).position
    for first in range(0, end + 1, 3):
        for last in range(first, end + 1, 2):
            was, now = states(study, first), states(study, last)
            wanted = {name for name, state in now.items() if was.get(name) != state and not (
                name not in was and state[1] == "open"
            )}  # fmt: skip
            found = moments.compare(
                moments.resolve(study, position=first), moments.resolve(study, position=last), size=99
            )
            assert {one.region for one in found.page} == wanted
            for one in found.page:
                assert tuple(one.after) == now[one.region]
                assert tuple(one.before) == was.get(one.region, ("", ""))
            assert sum(found.counts.values()) == len(wanted) == sum(found.flows.values())


def test_changes_are_named_counted_and_paged(study):
    found = moments.compare(moments.resolve(study, position=10), moments.resolve(study), size=99)
    assert found.counts == {"reopened": 3, "excluded": 1}, "one undone, two rechecked, one left out; one restored"
    ends = moments.resolve(study, position=10), moments.resolve(study)
    page = [moments.compare(*ends, kind="reopened", start=place, size=1) for place in range(4)]
    assert [len(one.page) for one in page] == [1, 1, 1, 0]
    assert len({one.page[0].region for one in page[:3]}) == 3


def test_a_persons_answers_at_a_moment_and_between_two(study):
    person = study.memberships.order_by("id").first()
    early = moments.resolve(study, position=10)
    assert {(one.label, one.state): one.regions for one in moments.count_answers(early, person)} == {
        ("lymphocyte", "agrees"): 2, ("monocyte", "agrees"): 1, ("neutrophil", "agrees"): 2,
    }  # fmt: skip
    found = moments.compare_answers(early, moments.resolve(study), person, size=9)
    assert found.counts == {"withdrawn": 1}
    assert moments.compare_answers(moments.resolve(study, position=0), early, person).counts == {"added": 5}


def test_a_study_at_a_moment_is_counted_by_state_and_class(study):
    now = {(one.state, one.label): one.regions for one in moments.count(moments.resolve(study))}
    assert now == {("open", ""): 3, ("excluded", ""): 1, ("settled", "lymphocyte"): 1}
    assert moments.count(moments.resolve(study, position=0)) == []


def test_a_regions_history_takes_a_position(study):
    region = GroundTruthRevision.objects.filter(method=Method.RESTORE).get().region
    entry = next(link.position for link in ledger.links(study) if link.kind == "revision")
    told = history.read(region, position=entry)
    assert (told.standing.label, told.position) == ("monocyte", entry)
    assert history.read(region, position=entry - 1).standing.label == "lymphocyte"


def test_rows_of_an_entry_bear_its_moment(study):
    row = GroundTruthRevision.objects.first()
    with pytest.raises(RuntimeError, match="one moment"):
        ledger.append(study=study, kind="revision", payload={"rows": [row.content()]}, at=clock.now())
