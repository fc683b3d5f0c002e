"""The entry test: nothing real before it is passed, no second look, and a manager who is told and may decide."""

from collections import Counter

import pytest
from rest_framework.test import APIClient

from annotation.errors import Conflict
from annotation.models import Annotation, Assignment, Membership
from annotation.selectors import qualification, workload
from annotation.services import consensus, gold, members, queue, studies
from annotation.services import qualification as entry_test
from annotation.states import AssignmentKind, Role
from tests import factories
from tests.annotation.answering import answer, submit

pytestmark = pytest.mark.django_db
RIGHT, WRONG = factories.CODES[0], factories.CODES[1]


@pytest.fixture
def study():
    """Two picks, and a test of four regions of which three must be right; eight are in the set."""
    row = factories.study(
        policy={"qualification_regions": 4, "qualification_share": 0.75, "planted_check_rate": 0.0, "gold_rate": 0.0}
    )
    slide = factories.slide(row)
    for _ in range(2):
        factories.pick(factories.region(slide), slots=5)
    names = [factories.region(slide).public_id for _ in range(8)]
    gold.add(study=row, regions_and_labels=[(name, RIGHT) for name in names], is_qualification=True)
    return row


def sit(member: Membership, *labels: str) -> list[Annotation]:
    return [submit(member, label) for label in labels]


def fresh(member: Membership) -> Membership:
    return Membership.objects.select_related("study__protocol", "user").get(pk=member.pk)


def test_nobody_is_asked_a_real_region_before_the_test_is_passed(study):
    member = factories.member(study)
    assert {one.kind for one in queue.claim_batch(member=member, count=10)} == {AssignmentKind.QUALIFY}
    assert Assignment.objects.count() == 4
    rows = sit(member, RIGHT, WRONG, RIGHT, RIGHT)
    assert {row.assignment_kind for row in rows} == {AssignmentKind.QUALIFY}
    assert submit(fresh(member)).assignment_kind == AssignmentKind.LABEL
    assert fresh(member).qualified_at is not None
    assert len(consensus.canonical_fit(study).regions) == 1  # the test's answers are no evidence


def test_who_fails_is_asked_nothing_and_told_so_until_a_manager_allows_another_try(study):
    member = factories.member(study)
    met = {row.region_id for row in sit(member, WRONG, RIGHT, RIGHT, WRONG)}
    member = fresh(member)
    assert queue.claim(member=member) is None and member.qualified_at is None
    assert workload.reason_empty(study=study, member=member).code == "failed"
    standing = qualification.of_study(study)[member.pseudonym]
    assert (standing.state, standing.right, standing.of) == ("failed", 2, 4)
    members.change(member=member, another_try=True)
    again = {row.region_id for row in sit(fresh(member), RIGHT, RIGHT, RIGHT, RIGHT)}
    assert not met & again
    assert submit(fresh(member)).assignment_kind == AssignmentKind.LABEL


def test_a_third_try_needs_regions_that_the_person_has_not_met(study):
    member = factories.member(study)
    with pytest.raises(Conflict, match="has not failed"):
        members.change(member=member, another_try=True)
    sit(member, *[WRONG] * 4)
    members.change(member=member, another_try=True)
    sit(fresh(member), *[WRONG] * 4)
    with pytest.raises(Conflict, match="only 0 are left"):
        members.change(member=member, another_try=True)
    members.change(member=member, is_qualified=True)
    assert submit(fresh(member)).assignment_kind == AssignmentKind.LABEL


def test_a_skipped_region_is_not_right_and_an_answer_can_be_taken_back_until_the_test_is_over(study):
    member = factories.member(study)
    lease = queue.claim(member=member)
    queue.skip(member=member, token=lease.token, reason="blurred")
    first = submit(member, WRONG)
    back = queue.undo(member=member, token=first.assignment.token, idempotency_key="back")
    assert back.kind == AssignmentKind.QUALIFY
    queue.submit(member=member, token=back.token, answer=answer(RIGHT), idempotency_key="again")
    sit(member, RIGHT)
    last = submit(member, WRONG)
    with pytest.raises(Conflict, match="entry test is over"):
        queue.undo(member=member, token=last.assignment.token, idempotency_key="late")
    assert qualification.of_study(study)[member.pseudonym].right == 2


def test_a_test_that_was_left_goes_on_where_it_was(study):
    member = factories.member(study)
    sit(member, RIGHT)
    lease = queue.claim(member=member)
    queue.release(member=member, token=lease.token)
    assert queue.claim(member=member).kind == AssignmentKind.QUALIFY
    assert qualification.of_study(study)[member.pseudonym].done == 1
    assert len(queue.claim_batch(member=member, count=10)) == 3


def test_the_last_answer_written_while_more_is_asked_for_does_not_make_the_test_longer(study, monkeypatch):
    member = factories.member(study)
    sit(member, RIGHT, RIGHT)
    leases = queue.claim_batch(member=fresh(member), count=2)
    read = qualification.of_member

    def read_just_before_the_answers(**of):
        standing = read(**of)
        for lease in leases:
            queue.submit(member=member, token=lease.token, answer=answer(WRONG), idempotency_key=lease.token)
        leases.clear()
        return standing

    monkeypatch.setattr(qualification, "of_member", read_just_before_the_answers)
    assert not entry_test.take(study=member.study, policy=member.study.policy, member=member, count=5)
    assert not leases


def test_without_enough_regions_nobody_begins_and_the_page_says_why(study):
    studies.update_policy(study=study, values={"qualification_regions": 9})
    member = fresh(factories.member(study))
    assert queue.claim(member=member) is None
    assert workload.reason_empty(study=member.study, member=member).code == "untested"


def test_adjudicators_are_not_tested_and_qualifying_can_be_asked_anew(study):
    assert submit(factories.member(study, Role.ADJUDICATOR)).assignment_kind == AssignmentKind.LABEL
    member = factories.member(study)
    sit(member, *[RIGHT] * 4)
    submit(fresh(member))
    members.change(member=member, is_qualified=False)
    kinds = Counter(one.kind for one in queue.claim_batch(member=fresh(member), count=9))
    assert kinds == {AssignmentKind.QUALIFY: 4}


def test_the_queue_page_tells_how_the_own_test_stands_and_teaches_only_where_the_study_says_so(study):
    member = factories.member(study)
    client = APIClient()
    client.force_authenticate(member.user)
    base = f"/api/studies/{study.slug}/queue/"

    def give(label: str) -> dict[str, object]:
        lease = client.post(f"{base}claim/", {}, format="json").json()["lease"]
        assert lease["kind"] == "label"
        body = {"token": lease["token"], "answer": answer(label), "idempotency_key": lease["token"]}
        return client.post(f"{base}submit/", body, format="json").json()

    assert client.get(base).json()["qualification"] == {"state": "open", "done": 0, "of": 4}
    silent = give(WRONG)
    assert silent["feedback"] is None
    studies.update_policy(study=study, values={"gold_feedback": True})
    told = give(WRONG)
    assert told.keys() == silent.keys()
    assert told["feedback"] == {"is_right": False, "label": RIGHT, "name": RIGHT.title(), "definition": ""}
    token = Annotation.objects.order_by("-pk").first().assignment.token
    refused = client.post(f"{base}undo/", {"token": token, "idempotency_key": "back"}, format="json")
    assert refused.status_code == 409 and "been told" in refused.content.decode()
    give(RIGHT)
    assert give(RIGHT)["feedback"]["is_right"]
    assert client.post(f"{base}claim/", {}, format="json").json()["leases"] == []
    page = client.get(base).json()
    assert (page["qualification"]["state"], page["reason_empty"]["code"]) == ("failed", "failed")
