"""Many leases at once: the same order and rules as one claim after the other, in a fixed number of queries."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from annotation import clock
from annotation.errors import BadInput, LeaseLost, Missing
from annotation.models import Assignment, Draft, Membership, Pick, SelectionBatch, Study
from annotation.services import picks, queue
from annotation.states import AssignmentKind, AssignmentState, Role
from tests import factories
from tests.annotation.answering import answer, submit

CLAIM_QUERIES = 18
RENEW_QUERIES = 5
RELEASE_QUERIES = 7
PAGE_QUERIES = 7


def open_study(count: int, **policy: object) -> Study:
    """A study with `count` open picks in one batch."""
    study = factories.study(policy={"planted_check_rate": 0.0, **policy})
    on = factories.slide(study)
    batch = SelectionBatch.objects.create(study=study, number=1, strategy="random", seed=0, created_at=clock.now())
    for rank in range(count):
        factories.pick(factories.region(on), batch=batch, rank=rank)
    return study


def give_up(leases: list[Assignment]) -> None:
    queue.release_batch(member=leases[0].annotator, tokens=[lease.token for lease in leases])


@pytest.mark.django_db
def test_batch_takes_the_best_picks_and_one_slot_of_each():
    study = open_study(6)
    leases = queue.claim_batch(member=factories.member(study), count=4)
    assert {lease.pick.rank for lease in leases} == {0, 1, 2, 3}
    assert len({lease.token for lease in leases}) == 4
    assert list(study.picks.order_by("rank").values_list("slots_open", flat=True)) == [1, 1, 1, 1, 2, 2]


@pytest.mark.django_db
def test_batch_is_topped_up_and_never_above_what_the_study_lets_one_person_hold():
    study = open_study(12, gallery_batch=5)
    ann = factories.member(study)
    first = queue.claim_batch(member=ann, count=2)
    assert queue.claim_batch(member=ann, count=4)[:2] == first
    assert len(queue.claim_batch(member=ann, count=200)) == 5
    queue.submit(member=ann, token=first[0].token, answer=answer(), idempotency_key="k")
    again = queue.claim_batch(member=ann, count=200)
    assert len(again) == 5 and first[0] not in again
    assert queue.claim(member=ann) == first[1]


@pytest.mark.django_db
@pytest.mark.parametrize("count", [0, 201])
def test_batch_of_an_impossible_size_is_refused(count):
    with pytest.raises(BadInput, match="1 to 200"):
        queue.claim_batch(member=factories.member(open_study(1)), count=count)


@pytest.mark.django_db
def test_order_within_a_batch_does_not_tell_what_others_have_begun():
    study = open_study(8)
    submit(factories.member(study))
    leases = queue.claim_batch(member=factories.member(study), count=8)
    names = [lease.region.public_id for lease in sorted(leases, key=lambda lease: lease.pk)]
    assert names == sorted(names)
    assert any(lease.pick.has_begun for lease in leases)


@pytest.mark.django_db
def test_batch_draws_the_checks_that_single_claims_would_draw():
    def kinds(*, at_once: bool) -> Counter[str]:
        study = open_study(20, gold_rate=0.36, repeat_rate=0.3, repeat_after_answers=1, gallery_batch=200)
        on = factories.slide(study)
        for _ in range(5):
            factories.gold(factories.region(on), label="neutrophil")
        ann = factories.member(study)
        # Drawn by the study's seed and the person's name alone, so both studies draw the same.
        assert (study.seed, ann.pseudonym) == (0, "A1")
        Study.objects.filter(pk=study.pk).update(policy_values={"planted_check_rate": 0.0})
        for _ in range(8):
            submit(ann)
        study.save()
        leases = queue.claim_batch(member=ann, count=12) if at_once else [draw_one(ann) for _ in range(12)]
        return Counter(lease.kind for lease in leases)

    def draw_one(ann: Membership) -> Assignment:
        held = Assignment.objects.filter(annotator=ann, state=AssignmentState.LEASED).count()
        return queue.claim_batch(member=ann, count=held + 1)[-1]

    together = kinds(at_once=True)
    assert together == kinds(at_once=False)
    assert together[AssignmentKind.GOLD] and together[AssignmentKind.REPEAT]


@pytest.mark.django_db
@pytest.mark.parametrize("end", ["released", "expired"])
def test_check_that_was_given_back_comes_again_like_any_other_region(end):
    """Else who leaves the page sees which regions stay away, and gold could be refused for good."""
    study = open_study(6, gold_rate=1.0)
    on = factories.slide(study)
    for _ in range(2):
        factories.gold(factories.region(on), label="neutrophil")
    ann = factories.member(study)
    first = queue.claim_batch(member=ann, count=4)
    kinds = {lease.region_id: lease.kind for lease in first}
    assert Counter(kinds.values()) == {AssignmentKind.GOLD: 2, AssignmentKind.LABEL: 2}
    for _ in range(2):
        if end == "released":
            give_up(queue.claim_batch(member=ann, count=4))
        else:
            Assignment.objects.filter(state=AssignmentState.LEASED).update(expires_at=clock.now())
            queue.expire()
        again = queue.claim_batch(member=ann, count=4)
        assert {lease.region_id: lease.kind for lease in again} == kinds
    for lease in again:
        queue.submit(member=ann, token=lease.token, answer=answer(), idempotency_key=lease.token)
    last = queue.claim_batch(member=ann, count=4)
    assert {lease.kind for lease in last} == {AssignmentKind.LABEL}
    assert not kinds.keys() & {lease.region_id for lease in last}


@pytest.mark.django_db
def test_no_region_comes_twice_in_one_batch_also_where_a_recheck_asks_for_it_again():
    study = open_study(4, repeat_rate=1.0, repeat_after_answers=1)
    ann, other = factories.member(study), factories.member(study)
    Study.objects.filter(pk=study.pk).update(policy_values={"planted_check_rate": 0.0})
    answered = [submit(ann).region for _ in range(4)]
    for _ in range(4):
        submit(other)
    study.save()
    picks.recheck(study=study, regions=answered, reason="borderline")
    leases = queue.claim_batch(member=ann, count=20)
    assert len({lease.region_id for lease in leases}) == len(leases) == 4
    assert {lease.kind for lease in leases} == {AssignmentKind.REPEAT, AssignmentKind.RECHECK}


@pytest.mark.django_db
def test_expired_batch_gives_every_slot_back():
    study = open_study(5)
    one, two = factories.member(study), factories.member(study)
    for person in (one, two):
        queue.claim_batch(member=person, count=5)
    assert not study.picks.filter(slots_open__gt=0).exists()
    Assignment.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert queue.expire() == 10
    assert study.picks.filter(slots_open=2).count() == 5
    assert len(queue.claim_batch(member=one, count=5)) == 5


@pytest.mark.django_db
def test_renewing_names_the_leases_that_were_lost():
    study = open_study(3)
    ann = factories.member(study)
    leases = queue.claim_batch(member=ann, count=3)
    late = leases[1]
    Assignment.objects.filter(pk=late.pk).update(expires_at=clock.now() - timedelta(seconds=1))
    done = queue.renew_batch(member=ann, tokens=[lease.token for lease in leases])
    assert done.lost == [late] and set(done.leases) == {leases[0], leases[2]}
    kept = Assignment.objects.filter(pk__in=[leases[0].pk, leases[2].pk])
    assert set(kept.values_list("expires_at", flat=True)) == {done.expires_at}
    with pytest.raises(LeaseLost):
        queue.renew(member=ann, token=late.token)


@pytest.mark.django_db
def test_one_foreign_token_makes_the_whole_list_missing():
    study = open_study(2)
    mine = queue.claim_batch(member=factories.member(study), count=2)
    other = queue.claim(member=factories.member(study))
    for act in (queue.renew_batch, queue.release_batch):
        with pytest.raises(Missing):
            act(member=mine[0].annotator, tokens=[mine[0].token, other.token])
    assert Assignment.objects.filter(state=AssignmentState.LEASED).count() == 3


@pytest.mark.django_db
def test_releasing_a_batch_keeps_what_was_entered_and_leaves_answers_alone():
    study = open_study(3)
    ann = factories.member(study)
    leases = queue.claim_batch(member=ann, count=3)
    queue.submit(member=ann, token=leases[0].token, answer=answer(), idempotency_key="k")
    entered = {"answer": answer("monocyte")}
    Assignment.objects.filter(pk=leases[1].pk).update(entered=entered)
    give_up(leases)
    states = Assignment.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == [AssignmentState.SUBMITTED, AssignmentState.RELEASED, AssignmentState.RELEASED]
    assert Draft.objects.get().content == entered
    assert study.picks.filter(slots_open=2).count() == 2


@pytest.mark.django_db
def test_adjudicators_get_batches_of_ties():
    study = open_study(3)
    Pick.objects.update(state="adjudication", slots_open=1)
    judge = factories.member(study, Role.ADJUDICATOR)
    leases = queue.claim_batch(member=judge, kind="adjudicate", count=2)
    assert {lease.kind for lease in leases} == {AssignmentKind.ADJUDICATE}
    give_up(leases)
    assert study.picks.filter(slots_open=1).count() == 3


@pytest.mark.django_db
def test_the_queries_are_as_many_for_one_as_for_two_hundred(django_assert_num_queries):
    study = open_study(205, gallery_batch=200, gold_rate=0.5, repeat_rate=0.5)
    for count in (20, 200):
        ann = factories.member(study)
        Assignment.objects.all().update(state=AssignmentState.RELEASED)
        Pick.objects.update(slots_open=2)
        with django_assert_num_queries(CLAIM_QUERIES):
            leases = queue.claim_batch(member=ann, count=count)
        assert len(leases) == count
        with django_assert_num_queries(RENEW_QUERIES):
            queue.renew_batch(member=ann, tokens=[lease.token for lease in leases])
        with django_assert_num_queries(RELEASE_QUERIES):
            give_up(leases)


@pytest.fixture
def client():
    """An annotator's HTTP client, and the address of the queue of a study with a few regions."""
    member = factories.member(open_study(4))
    found = APIClient()
    found.force_authenticate(member.user)
    found.base = f"/api/studies/{member.study.slug}/queue/"
    return found


def post(client, path, **body):
    return client.post(f"{client.base}{path}/", body, format="json")


@pytest.mark.django_db
def test_batch_is_claimed_renewed_and_released_over_http(client):
    answer = post(client, "claim", count=3).json()
    tokens = [lease["token"] for lease in answer["leases"]]
    assert (len(set(tokens)), answer["lease"]) == (3, answer["leases"][0])
    assert post(client, "claim").json()["leases"] == answer["leases"][:1]
    late = Assignment.objects.get(token=tokens[0])
    Assignment.objects.filter(pk=late.pk).update(expires_at=clock.now() - timedelta(seconds=1))
    renewed = post(client, "renew", tokens=tokens).json()
    assert (renewed["tokens"], renewed["lost"], renewed["token"]) == (tokens[1:], tokens[:1], tokens[1])
    assert post(client, "renew", token=tokens[0]).status_code == 409
    assert post(client, "release", tokens=tokens).status_code == 204
    assert not Assignment.objects.filter(state=AssignmentState.LEASED).exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("claim", {"count": 0}),
        ("claim", {"count": 201}),
        ("renew", {}),
        ("renew", {"tokens": []}),
        ("release", {"token": "a", "tokens": ["a"]}),
        ("release", {"tokens": ["a"] * 201}),
    ],
)
def test_impossible_batches_are_refused_with_a_sentence(client, path, body):
    refused = post(client, path, **body)
    assert refused.status_code == 400
    assert refused.json()["error"]["details"]["fields"]


@pytest.mark.django_db
def test_the_answer_to_a_claim_costs_the_same_for_one_as_for_two_hundred(client, django_assert_num_queries):
    post(client, "claim", count=1)
    with CaptureQueriesContext(connection) as one:
        post(client, "claim", count=1)
    cost = len(one)
    post(client, "claim", count=4)
    with django_assert_num_queries(cost):
        assert len(post(client, "claim", count=4).json()["leases"]) == 4


@pytest.mark.django_db
def test_gallery_page_asks_as_little_whatever_is_held(client, django_assert_num_queries):
    page = f"/admin/studies/{Study.objects.get().slug}/gallery/"
    client.force_login(Membership.objects.get().user)
    for count in (1, 4):
        post(client, "claim", count=count)
        with django_assert_num_queries(PAGE_QUERIES):
            assert client.get(page).status_code == 200


def test_people_who_claim_batches_at_the_same_moment_never_share_a_slot(committed):
    study = open_study(40)
    people = [factories.member(study) for _ in range(5)]

    def grab(person: Membership) -> list[int]:
        try:
            held = queue.claim_batch(member=person, count=15)
            # Whoever comes last may find fewer: what others are taking is passed over.
            if person.pk % 2 and held[5:10]:
                give_up(held[5:10])
            return [lease.pick_id for lease in queue.claim_batch(member=person, count=15)]
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as pool:
        taken = Counter(pick for picks in pool.map(grab, people) for pick in picks)
    assert max(taken.values()) <= 2
    for pick in study.picks.all():
        assert pick.slots_open + taken[pick.pk] == 2
