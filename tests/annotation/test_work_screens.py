"""The pages of those who answer: how many queries each takes, and that nobody else reaches them."""

from datetime import timedelta

import pytest

from annotation import clock
from annotation.models import Assignment
from annotation.selectors import answers
from annotation.services import picks, queue
from annotation.states import AssignmentKind, Role
from tests import factories
from tests.annotation.answering import answer, submit

pytestmark = pytest.mark.django_db

QUERIES = {"queue": 8, "annotate": 8, "answers": 9}


@pytest.fixture
def study():
    row = factories.study(policy={"planted_check_rate": 0.0})
    on = factories.slide(row)
    for _ in range(8):
        factories.pick(factories.region(on))
    return row


def get(client, study, screen, query=""):
    return client.get(f"/admin/studies/{study.slug}/{screen}/{query}")


@pytest.mark.parametrize("screen", QUERIES)
def test_page_takes_the_same_queries_however_much_was_answered(
    study, client, settings, screen, django_assert_num_queries
):
    settings.WHITENOISE_AUTOREFRESH = True
    person = factories.member(study)
    client.force_login(person.user)
    for _ in range(3):
        submit(person, comment="clear")
        with django_assert_num_queries(QUERIES[screen]):
            assert get(client, study, screen).status_code == 200


@pytest.mark.parametrize("screen", QUERIES)
def test_pages_of_those_who_answer_are_theirs_alone(study, client, screen):
    for person in (factories.member(study, Role.MANAGER), factories.member(factories.study())):
        client.force_login(person.user)
        assert get(client, study, screen).status_code == 404


def test_page_of_answers_that_is_not_mine_is_404(study, client):
    mine, other = factories.member(study), factories.member(study)
    row = submit(other)
    submit(mine)
    client.force_login(mine.user)
    assert get(client, study, "answers", f"?after={row.idempotency_key}").status_code == 404
    assert get(client, study, "answers", "?after=%00").status_code == 404


def test_recheck_and_repeat_look_the_same_among_the_own_answers(study, client):
    person, other = factories.member(study), factories.member(study)
    asked_again, repeated = submit(person).region, submit(person).region
    submit(other)
    submit(other)
    picks.recheck(study=study, regions=[asked_again], reason="in doubt")
    check = Assignment.objects.create(
        study=study,
        region=repeated,
        annotator=person,
        kind=AssignmentKind.REPEAT,
        leased_at=clock.now(),
        expires_at=clock.now() + timedelta(minutes=5),
    )
    queue.submit(member=person, token=check.token, answer=answer(), idempotency_key="repeat")
    again = next(lease for lease in queue.claim_batch(member=person, count=7) if lease.region_id == asked_again.pk)
    queue.submit(member=person, token=again.token, answer=answer(), idempotency_key="recheck")
    client.force_login(person.user)
    looks = []
    for region in (asked_again, repeated):
        rows = [row for row in answers.page(member=person, size=50).rows if row.region_id == region.pk]
        looks.append([(row.label, row.was_taken_back, row.was_answered_again) for row in rows])
    assert looks[0] == looks[1] == [("neutrophil", False, False), ("neutrophil", False, True)]
    page = get(client, study, "answers").content.decode().lower()
    assert not any(word in page for word in ("repeat", "recheck", "gold"))
    # Through the API, too, neither tells that it corrects the first.
    told = [
        [(row["number"], row["corrects"], row["assignment_kind"]) for row in found]
        for found in (
            client.get(f"/api/studies/{study.slug}/regions/{region.public_id}/annotations/").json()
            for region in (asked_again, repeated)
        )
    ]
    assert told[0] == told[1] == [(1, None, "label"), (2, None, "label")]
