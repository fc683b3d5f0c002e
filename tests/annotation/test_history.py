"""The timeline of a region: what happened, what changed, what stood when."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from annotation.models import SelectionBatch
from annotation.selectors import history
from annotation.services import queue, reviewing, truth
from annotation.states import Role, Stratum
from tests import factories
from tests.annotation.answering import answer, submit

pytestmark = pytest.mark.django_db


@pytest.fixture
def region():
    """Picked, skipped once, answered twice, adjudicated, decided by a manager, restored."""
    study = factories.study(policy={"planted_check_rate": 0.0})
    row = factories.region(factories.slide(study))
    pick = factories.pick(row, overlap=2, reason="Margin 0.02 between two classes.", parts={"predicted": "monocyte"})
    shy = factories.member(study)
    queue.skip(member=shy, token=queue.claim(member=shy).token, reason="Out of focus.")
    submit(factories.member(study), "neutrophil", comment="Dr Smith would agree")
    submit(factories.member(study), "lymphocyte", flagged=True)
    judge = factories.member(study, Role.ADJUDICATOR)
    lease = queue.claim(member=judge, kind="adjudicate")
    queue.submit(member=judge, token=lease.token, answer=answer(), idempotency_key="j", reason="Three lobes.")
    manager = factories.member(study, Role.MANAGER)
    truth.decide(region=row, member=manager, answer=answer("monocyte"), reason="I looked.")
    reviewing.restore(region=row, member=manager, number=1, reason="The judge was right.")
    assert SelectionBatch.objects.get(pk=pick.batch_id).model is None
    row.refresh_from_db()
    return row


def test_timeline_tells_what_happened_in_order(region):
    told = history.read(region)
    assert [(event.kind, event.title) for event in told.events] == [
        ("pick", "Queued because the ranking chose it"),
        ("skip", "A1 skipped it"),
        ("answer", "A2 answered"),
        ("answer", "A3 answered"),
        ("answer", "A4 adjudicated"),
        ("revision", "Revision 1: Adjudication"),
        ("revision", "Revision 2: Decided by a manager"),
        ("revision", "Revision 3: Restored"),
    ]
    pick, skip, first, second, judged, adjudication, _, restored = told.events
    assert "Margin 0.02 between two classes." in pick.details and "no model yet" in pick.details[0]
    assert skip.text == "Out of focus."
    assert (first.label, first.text) == ("neutrophil", "Dr Smith would agree")
    assert "Flagged." in second.details
    assert (judged.text, adjudication.text) == ("", "Three lobes.")
    assert adjudication.details == ["By A4.", "Rests on A4's answer 1."]
    assert restored.text == "Revision 1 restored: The judge was right."
    assert not told.is_cut


def test_each_revision_says_what_it_changed(region):
    first, second, third = (event.changes for event in history.read(region).events if event.kind == "revision")
    assert {(one.what, one.before, one.after) for one in first} >= {
        ("state", "undecided", "settled"),
        ("class", "", "neutrophil"),
    }
    assert {one.what for one in second} == {"class", "source"}
    assert ("class", "monocyte", "neutrophil") in {(one.what, one.before, one.after) for one in third}


def test_as_of_a_moment_only_what_was_there_counts(region):
    events = history.read(region).events
    at = {event.title: event.at for event in events}
    early = history.read(region, as_of=at["A2 answered"])
    assert early.standing is None
    assert [row.label for row in early.answers] == ["neutrophil"]
    middle = history.read(region, as_of=at["Revision 2: Decided by a manager"])
    assert (middle.standing.number, middle.standing.label) == (2, "monocyte")
    assert len(middle.events) == len(events), "the timeline itself is always whole"
    assert history.read(region).standing.number == 3


def test_an_erased_comment_is_gone_from_the_timeline_and_the_reason_of_a_decision_stays(region):
    for row in region.annotations.all():
        if hasattr(row, "personal_text"):
            row.personal_text.text, row.personal_text.erased_at = "", row.created_at
            row.personal_text.save()
    told = str(history.read(region).events)
    assert "Smith" not in told and "Three lobes." in told


def test_a_history_is_a_fixed_number_of_queries(region, django_assert_num_queries):
    with django_assert_num_queries(5):
        history.read(region)
    for _ in range(3):
        batch = factories.pick(region, stratum=Stratum.RECHECK)
        batch.state = "superseded"
        batch.save()
    with django_assert_num_queries(5):
        history.read(region)


def test_the_page_is_a_fixed_number_of_queries_and_nobody_elses(region, django_assert_num_queries):
    url = f"/admin/studies/{region.study.slug}/regions/{region.public_id}/"
    client = Client()
    roles = dict(region.study.memberships.values_list("role", "user"))
    client.force_login(get_user_model().objects.get(pk=roles["manager"]))
    with django_assert_num_queries(9):
        assert client.get(url).status_code == 200
    for role in ("annotator", "adjudicator"):
        client.force_login(get_user_model().objects.get(pk=roles[role]))
        assert client.get(url).status_code == 404
