"""Planted checks of early stops: what they found, against rows whose outcome is known, and told as shares."""

import pytest

from annotation.models import Pick
from annotation.selectors import early_stops
from annotation.selectors.dashboard import Board, Filters, Reading, find, kept, show
from annotation.states import PickState, Role
from tests import factories
from tests.annotation.answering import submit

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return factories.study(
        policy={"min_overlap": 2, "max_overlap": 4, "planted_check_rate": 0.0, "consensus": "majority"}
    )


def decide(study, labels, *, is_check):
    """A region on which so many people say `labels`, one after the other."""
    pick = factories.pick(factories.region(factories.slide(study)), overlap=4, is_planted_check=is_check)
    for label in labels:
        submit(factories.member(study), label)
    pick.refresh_from_db()
    return pick


def adjudicate(study, label):
    submit_as = factories.member(study, Role.ADJUDICATOR)
    from annotation.services import queue

    lease = queue.claim(member=submit_as, kind="adjudicate")
    answer = {"kind": "class", "label": label}
    queue.submit(member=submit_as, token=lease.token, answer=answer, idempotency_key="a", reason="Seen again.")


def test_checks_are_counted_by_what_became_of_them(study):
    same, other = "neutrophil", "lymphocyte"
    assert decide(study, [same] * 4, is_check=True).state == PickState.SETTLED
    # Two agree, two more do not: no class reaches the target, so an adjudicator decides, against the early stop.
    assert decide(study, [same, same, other, other], is_check=True).state == PickState.ADJUDICATION
    adjudicate(study, other)
    assert decide(study, [same] * 3, is_check=True).state == PickState.OPEN
    found = early_stops.read(study)
    assert (found.planted, found.decided, found.changed) == (3, 2, 1)
    assert found.changes == {(same, other): 1}
    assert (found.error.value, found.error.count) == (0.5, 2) and found.error.low < 0.1 and found.error.high > 0.9
    assert found.to_json()["error"] == 0.5
    assert "Of 2 early stops that went on to the maximum, 1 got another label (50.0%" in found.say()


def test_opinions_after_the_early_stop_are_what_checking_costs(study):
    decide(study, ["neutrophil"] * 4, is_check=True)
    decide(study, ["neutrophil"] * 2, is_check=False)
    found = early_stops.read(study)
    assert (found.asked, found.unchecked) == (2, 1)
    assert Pick.objects.get(early_answers__isnull=False).early_answers == 2


def test_a_check_under_doubt_before_the_minimum_is_no_early_stop(study):
    decide(study, ["neutrophil", "lymphocyte", "neutrophil", "lymphocyte"], is_check=True)
    found = early_stops.read(study)
    assert (found.planted, found.error) == (0, None)
    assert found.say() == "No early stop has been checked to its end yet."


def test_the_panel_says_what_stopping_early_costs_or_what_to_do(study, django_assert_num_queries):
    def read():
        kept.counts.forget()
        study.refresh_from_db()
        return show(find("stopping"), Board(Reading(study), Filters())).content

    assert "No region has settled with fewer opinions" in read().empty
    decide(study, ["neutrophil"] * 2, is_check=False)
    content = read()
    assert content.table("checks").rows == [[0, 0, 0, None, None, None, 0, 1]]
    assert "set one in the policy" in content.notes[1]
    decide(study, ["neutrophil"] * 4, is_check=True)
    content = read()
    assert content.table("checks").rows == [[1, 1, 0, 0.0, 0.0, pytest.approx(0.7935, abs=1e-3), 2, 1]]
    assert content.notes[0].startswith("Of 1 early stop that went on to the maximum, 0 got another label")
    assert content.table("changes") is None
    with django_assert_num_queries(2):
        early_stops.read(study)
