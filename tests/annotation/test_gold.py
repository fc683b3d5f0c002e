"""Gold: what may become it, how it is drawn, and that it says nothing about its own truth."""

from collections import Counter

import pytest
from django.utils import timezone

from annotation import draws
from annotation.errors import BadInput, Conflict
from annotation.models import Annotation, Gold, Region, ReliabilitySnapshot
from annotation.selectors import gold as gold_reads
from annotation.selectors import outcomes
from annotation.services import consensus, examples, gold, ledger, queue, truth
from annotation.states import AssignmentKind, GoldSource, RegionState, Role
from tests import factories
from tests.annotation.answering import answer, submit

pytestmark = pytest.mark.django_db
CODES = factories.CODES


@pytest.fixture
def study():
    return factories.study(policy={"planted_check_rate": 0.0, "min_overlap": 1, "gallery_batch": 200})


@pytest.fixture
def slide(study):
    return factories.slide(study)


def fitted(study, shares) -> None:
    """A fit after which the classes have these shares."""
    ReliabilitySnapshot.objects.create(
        study=study, number=1, protocol=study.protocol, class_codes=list(CODES), prior=list(shares), confusion={},
        answers=100, created_at=timezone.now(),
    )  # fmt: skip


def test_all_problems_of_a_list_are_named_at_once_and_nothing_is_half_done(study, slide):
    fine, known, audit, shown = (factories.region(slide) for _ in range(4))
    Region.objects.filter(pk=audit.pk).update(audit_half="gate")
    factories.gold(known)
    manager = factories.member(study, Role.MANAGER)
    examples.add(study=study, member=manager, region=shown.public_id, label=CODES[0])
    pairs = [
        (fine.public_id, CODES[1]), (fine.public_id, CODES[0]), (known.public_id, CODES[0]),
        (audit.public_id, CODES[0]), (shown.public_id, CODES[0]), ("nowhere", CODES[0]), (fine.public_id, "banana"),
    ]  # fmt: skip
    with pytest.raises(BadInput) as caught:
        gold.add(study=study, regions_and_labels=pairs, member=manager)
    said = caught.value.details["problems"]
    assert len(said) == 7
    for word in ("more than once", "gold already", "audit sample", "example", "no such region", "no class 'banana'"):
        assert any(word in one for one in said), word
    assert Gold.objects.count() == 1
    made = gold.add(study=study, regions_and_labels=pairs[:1], member=manager)
    assert [(one.label, one.source, one.added_by) for one in made] == [(CODES[1], GoldSource.FILE, manager)]


def test_the_qualification_set_leaves_the_study_in_one_entry_of_the_ledger(study, slide):
    rows = [factories.region(slide) for _ in range(3)]
    queued = factories.pick(factories.region(slide)).region
    manager = factories.member(study, Role.MANAGER)
    before = ledger.head(study).position
    pairs = [(row.public_id, CODES[0]) for row in rows]
    with pytest.raises(BadInput, match="being asked about it"):
        gold.add(study=study, regions_and_labels=[*pairs, (queued.public_id, CODES[0])], is_qualification=True)
    gold.add(study=study, regions_and_labels=pairs, member=manager, is_qualification=True)
    assert ledger.head(study).position == before + 1
    assert set(Region.objects.filter(gold__is_qualification=True).values_list("state", flat=True)) == {"excluded"}
    assert ledger.verify(study).ok


def test_gold_is_no_evidence_for_its_own_truth(study, slide):
    region = factories.pick(factories.region(slide), slots=1).region
    factories.gold(region, label=CODES[0])
    study.policy_values |= {"gold_rate": 1.0}
    study.save()
    tested, other = factories.member(study), factories.member(study)
    row = submit(tested, CODES[2])
    assert (row.assignment_kind, row.assignment.pick, row.region) == ("gold", None, region)
    assert truth.believe(region, study=study).opinions == []
    assert consensus.canonical_fit(study).regions == []
    study.policy_values |= {"gold_rate": 0.0}
    study.save()
    assert queue.claim(member=tested) is None  # who was tested on it is not asked about it
    assert submit(other, CODES[0]).assignment_kind == AssignmentKind.LABEL
    assert [one.pseudonym for one in truth.believe(region, study=study).opinions] == [other.pseudonym]


def test_what_a_person_meets_follows_the_shares_of_the_study_not_those_of_the_set(study, slide):
    """Forty of each class, of which one makes four in five: a set as it is would be known by its rare classes."""
    for index in range(120):
        factories.gold(factories.region(slide), label=CODES[index % 3])
    fitted(study, (0.8, 0.15, 0.05))
    study.policy_values |= {"gold_rate": 1.0}
    study.save()
    member = factories.member(study)
    leases = queue.claim_batch(member=member, count=60)
    met = Counter(lease.region.gold.label for lease in leases)
    # When the forty common ones are used up, rare ones are asked up to their share, and then none.
    assert met[CODES[0]] == 40 and 50 <= sum(met.values()) <= 51
    assert 7 <= met[CODES[1]] <= 8 and 2 <= met[CODES[2]] <= 3
    another = factories.study(policy=study.policy_values)
    assert gold_reads.count_by_class(another, is_qualification=False) == Counter()


def test_the_first_ten_follow_the_shares_too_and_differ_between_people():
    labels = {f"region-{index}": CODES[index % 3] for index in range(90)}

    def first_ten(person: str) -> list[str]:
        return draws.by_shares(
            labels, shares={CODES[0]: 0.6, CODES[1]: 0.3, CODES[2]: 0.1}, seen={}, count=10,
            draw=lambda name: draws.uniform(7, person, name),
        )  # fmt: skip

    counted = Counter(labels[name] for person in range(200) for name in first_ten(f"A{person}"))
    assert [round(counted[code] / 2000, 1) for code in CODES] == [0.6, 0.3, 0.1]
    assert first_ten("A1") == first_ten("A1") != first_ten("A2")


def test_gold_of_a_class_that_was_split_is_asked_no_more(study, slide):
    for label in CODES[:2]:
        factories.gold(factories.region(slide), label=label)
    factories.protocol(study, codes=CODES)  # a version without any exact mapping
    study.policy_values |= {"gold_rate": 1.0}
    study.save()
    assert gold_reads.count_by_class(study, is_qualification=False) == Counter()
    assert queue.claim(member=factories.member(study)) is None


def test_retired_gold_is_asked_no_more_and_its_answers_stay(study, slide):
    study.policy_values |= {"gold_rate": 1.0}
    study.save()
    first, second = (factories.gold(factories.region(slide)).region for _ in range(2))
    member = factories.member(study)
    answered = submit(member).region
    lease = queue.claim(member=member)
    with pytest.raises(Conflict, match="right now"):
        gold.retire(study=study, regions=[first.public_id, second.public_id])
    queue.release(member=member, token=lease.token)
    assert gold.retire(study=study, regions=[first.public_id, second.public_id]) == 2
    assert queue.claim(member=member) is None
    assert [one.is_right for one in outcomes.read(study)] == [True]
    assert Annotation.objects.get().region == answered
    back = gold.add(study=study, regions_and_labels=[(lease.region.public_id, CODES[2])])
    assert (back[0].retired_at, back[0].label, Gold.objects.count()) == (None, CODES[2], 2)


def test_adjudicated_regions_become_gold_in_the_shares_of_the_settled_truth(study, slide):
    manager, judge = factories.member(study, Role.MANAGER), factories.member(study, Role.ADJUDICATOR)
    for index in range(40):
        region = factories.region(slide)
        is_judged = index % 2 == 0
        truth.decide(
            region=region, member=judge if is_judged else manager, answer=answer(CODES[0 if index % 4 else 2]),
            reason="Seen.", method="adjudication" if is_judged else "consistency",
        )  # fmt: skip
    audit = Region.objects.filter(study=study, current_revision__method="adjudication").first()
    Region.objects.filter(pk=audit.pk).update(audit_half="report")
    made = gold.adopt_adjudicated(study=study, count=8, member=manager)
    # Of the settled truth a quarter is of the third class; of what was adjudicated a half.
    assert Counter(one.label for one in made) == {CODES[0]: 6, CODES[2]: 2}
    assert {one.source for one in made} == {GoldSource.ADJUDICATED}
    assert audit not in [one.region for one in made]
    assert all(one.region.current_revision.method == "adjudication" for one in made)
    rest = gold.adopt_adjudicated(study=study, count=100, member=manager)
    assert not {one.region_id for one in rest} & {one.region_id for one in made}
    assert RegionState.SETTLED in {one.region.state for one in made}


def test_repeats_are_drawn_not_taken_from_the_oldest(study, slide):
    member = factories.member(study)
    for _ in range(30):
        factories.pick(factories.region(slide), slots=1)
        submit(member)
    study.policy_values |= {"repeat_rate": 1.0, "repeat_after_answers": 5}
    study.save()
    leases = queue.claim_batch(member=member, count=8)
    assert {lease.kind for lease in leases} == {AssignmentKind.REPEAT}
    places = sorted(lease.region.index for lease in leases)
    assert places != list(range(8)) and max(places) < 25
