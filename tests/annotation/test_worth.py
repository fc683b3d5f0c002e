"""Another opinion or a new region, on rows: who waits, who never does, and that a claim only reads it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.models import Annotation, Pick, SelectionBatch
from annotation.selectors.dashboard import Board, Filters, Reading, find, kept, show
from annotation.services import picks, queue
from annotation.services.picks import PickSpec
from annotation.states import PickState, Stratum
from tests import factories
from tests.annotation.answering import answer, submit

pytestmark = pytest.mark.django_db

CODES = ("neutrophil", "lymphocyte", "monocyte", "basophil")
POLICY = {"opinions_first": "by-gain", "planted_check_rate": 0.0, "target_confidence": 0.99}
COMMON = {"predicted": "neutrophil", "second": "monocyte", "top": 0.6, "margin": 0.3}
RARE = {**COMMON, "predicted": "basophil"}
WEIGHTS = {"basophil": 8.0}


@pytest.fixture
def study():
    return factories.study(codes=CODES, policy=POLICY)


def queue_batch(study, *, number=1, stratum=Stratum.RANKED, count=3, weights=None, parts=None):
    on = factories.slide(study)
    specs = [
        PickSpec(region_id=factories.region(on).pk, rank=rank, stratum=stratum, parts=parts or {})
        for rank in range(count)
    ]
    picks.queue_batch(study=study, number=number, strategy="ranked", seed=0, specs=specs, weights=weights)
    return list(Pick.objects.filter(batch__number=number, study=study).order_by("rank"))


def begin_then_queue_rare(study, *, stratum=Stratum.RANKED):
    """A region of a common class with one answer, and two new ones of a class that is worth eight times as much."""
    (begun,) = queue_batch(study, count=1, stratum=stratum, parts=COMMON)
    submit(factories.member(study))
    new = queue_batch(study, number=2, count=2, parts=RARE, weights=WEIGHTS)
    begun.refresh_from_db()
    return begun, new


def set_policy(study, **values):
    study.policy_values = {**POLICY, **values}
    study.save(update_fields=["policy_values"])


def next_of(study):
    return queue.claim(member=factories.member(study)).pick_id


def test_new_picks_carry_their_gain_and_the_batch_the_scale(study):
    rows = queue_batch(study)
    batch = SelectionBatch.objects.get(study=study)
    assert {pick.gain for pick in rows} == {batch.numbers["scale"]["least"]}
    assert 0 < rows[0].gain < 1 and not any(pick.is_deferred for pick in rows)


def test_a_begun_region_comes_first_while_its_opinion_is_worth_more(study):
    first, *_ = queue_batch(study)
    submit(factories.member(study))
    first.refresh_from_db()
    assert first.has_begun and not first.is_deferred
    assert first.gain > SelectionBatch.objects.get(study=study).numbers["scale"]["least"]
    assert next_of(study) == first.pk


def test_a_region_of_a_common_class_waits_behind_rare_ones_and_is_asked_when_they_are_gone(study):
    begun, (second, third) = begin_then_queue_rare(study)
    assert begun.is_deferred and begun.slots_open == 1 and begun.gain < second.gain
    asked = [next_of(study) for _ in range(5)]
    assert asked == [second.pk, second.pk, third.pk, third.pk, begun.pk]


def test_an_answer_says_anew_whether_its_region_waits(study):
    (common,) = queue_batch(study, count=1, parts=COMMON)
    member = factories.member(study)
    lease = queue.claim(member=member)
    queue_batch(study, number=2, count=2, parts=RARE, weights=WEIGHTS)
    queue.submit(member=member, token=lease.token, answer=answer(), idempotency_key="first")
    common.refresh_from_db()
    assert common.is_deferred and common.gain < SelectionBatch.objects.get(number=2).numbers["scale"]["least"]


def test_always_keeps_begun_regions_first(study):
    set_policy(study, opinions_first="always")
    begun, new = begin_then_queue_rare(study)
    assert begun.gain is None and not begun.is_deferred and new[0].gain is None
    assert next_of(study) == begun.pk


@pytest.mark.parametrize("stratum", [Stratum.RANDOM, Stratum.AUDIT, Stratum.RECHECK])
def test_what_measures_something_never_waits(study, stratum):
    begun, _ = begin_then_queue_rare(study, stratum=stratum)
    assert begun.gain is None and not begun.is_deferred
    assert next_of(study) == begun.pk


def test_a_planted_check_never_waits():
    study = factories.study(codes=CODES, policy={**POLICY, "planted_check_rate": 1.0, "target_confidence": 0.9})
    (common,) = queue_batch(study, count=1, parts=COMMON)
    for _ in range(2):
        submit(factories.member(study))
    common.refresh_from_db()
    assert common.early_label == "neutrophil"
    queue_batch(study, number=2, count=2, parts=RARE, weights=WEIGHTS)
    assert next_of(study) == common.pk


def test_a_new_batch_places_begun_regions_anew(study):
    begun, _ = begin_then_queue_rare(study)
    assert begun.is_deferred
    queue_batch(study, number=3, parts=COMMON)
    begun.refresh_from_db()
    assert not begun.is_deferred


def test_nothing_waits_any_more_once_the_policy_has_changed(study):
    begun, _ = begin_then_queue_rare(study)
    set_policy(study, opinions_first="always")
    queue_batch(study, number=3)
    begun.refresh_from_db()
    assert not begun.is_deferred


def test_a_region_that_waits_gets_as_many_people_as_ever_and_then_an_adjudicator(study):
    begun, _ = begin_then_queue_rare(study)
    Pick.objects.filter(batch__number=2).update(state=PickState.SUPERSEDED, slots_open=0)
    for label in (*CODES[1:], "lymphocyte", "monocyte"):
        lease = queue.claim(member=factories.member(study))
        if lease is not None:
            queue.submit(member=lease.annotator, token=lease.token, answer=answer(label), idempotency_key="k")
    begun.refresh_from_db()
    assert Annotation.objects.filter(region=begun.region_id).count() == begun.overlap == 5
    assert begun.state == PickState.ADJUDICATION


def test_a_claim_asks_no_more_of_the_database_by_gain(study):
    begin_then_queue_rare(study)
    counted = []
    for name in ("by-gain", "always"):
        set_policy(study, opinions_first=name)
        member = factories.member(study)
        with CaptureQueriesContext(connection) as queries:
            queue.claim(member=member)
        counted.append(len(queries))
    assert counted[0] == counted[1]


def test_the_dashboard_says_what_another_opinion_is_worth(study):
    begun, new = begin_then_queue_rare(study)
    assert notes_of(study) == [
        "Another opinion on 0 regions is worth more than a new one. On 1 region it is worth less: new ones come first."
    ]
    set_policy(study, opinions_first="always")
    assert notes_of(study) == []


def notes_of(study):
    kept.counts.forget()
    return show(find("work"), Board(Reading(study), Filters())).content.notes
