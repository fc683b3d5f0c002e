"""Suggestions: checks get them like any other region, and wrong ones on purpose measure sway and touch no truth."""

import pytest

from annotation.models import Annotation, Assignment, Pick, Region
from annotation.selectors import queue as queue_reads
from annotation.selectors import sway
from annotation.services import consensus, ledger, queue
from annotation.states import AssignmentKind, AssignmentState
from learning.consensus.sway import estimate_sway
from tests import checked, factories
from tests.annotation.answering import submit
from workers.simulation.annotators import Habits

pytestmark = pytest.mark.django_db


def test_what_was_planted_followed_and_left_alone_is_counted_by_person():
    study = checked.suggesting_study(20, seed=5, wrong_suggestion_rate=0.5, suggestion_control_share=0.4)
    swayed, *sound = (factories.member(study) for _ in range(4))
    for member in (swayed, *sound):
        for lease in queue.claim_batch(member=member, count=20):
            follows = member == swayed and lease.suggestion_is_planted
            label = lease.suggestion if follows else lease.region.known_truth.label
            sent = {"answer": {"kind": "class", "label": label}, "idempotency_key": lease.token}
            queue.submit(member=member, token=lease.token, **sent)
    found = sway.tally(study, codes={study.protocol_id: {code: code for code in checked.CODES}})
    rows = Annotation.objects.filter(assignment_kind=AssignmentKind.SWAY, region__state="settled")
    for member in (swayed, *sound):
        wrong = [row for row in rows.filter(annotator=member) if row.suggestion != row.region.known_truth.label]
        one = found.get(member.pseudonym, sway.Tally())
        assert (one.planted, one.followed) == (len(wrong), len(wrong) if member == swayed else 0)
    assert found[swayed.pseudonym].planted > 0
    everybody = sum(found.values(), start=sway.Tally())
    assert everybody.controls > 0 and everybody.lapses == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_sway_of_a_simulated_crowd_is_measured_within_its_interval_and_enters_no_truth():
    study = checked.suggesting_study(150, seed=3, wrong_suggestion_rate=0.5, suggestion_control_share=0.4)
    checked.label(study, people=4, habits=Habits(skill=0.85, sway=0.3), seed=3)
    tally, found = checked.measure(study)
    assert tally.planted > 50 and tally.controls > 80
    assert found is not None and 0.0 < found.low <= 0.3 <= found.high < 0.6
    swayed = Annotation.objects.filter(assignment_kind=AssignmentKind.SWAY)
    assert not swayed.filter(assignment__pick__isnull=False).exists()
    fit = consensus.canonical_fit(study)
    labels = Annotation.objects.filter(assignment_kind=AssignmentKind.LABEL)
    assert len(fit.answers) == labels.values("region", "annotator").distinct().count()
    assert not Pick.objects.filter(slots_open__lt=0).exists()
    assert Region.objects.filter(state="settled").count() > 120
    assert ledger.verify(study).ok


def test_a_planted_suggestion_looks_like_another_and_its_slot_goes_to_somebody_else():
    # Each study draws by a secret of its own: of 6 regions all or none were planted in one run of 32.
    study = checked.suggesting_study(24, seed=1, wrong_suggestion_rate=0.5, suggestion_control_share=0.0)
    leases = queue.claim_batch(member=factories.member(study), count=24)
    planted = [one for one in leases if one.suggestion_is_planted]
    assert planted and len(planted) < len(leases) == 24
    assert {one.kind for one in planted} == {AssignmentKind.SWAY}
    shown = queue_reads.show_all(leases)
    assert {one.kind for one in shown} == {AssignmentKind.LABEL} and all(one.suggestion for one in shown)
    free = Pick.objects.filter(region__in=[one.region_id for one in planted])
    assert {pick.slots_open for pick in free} == {2}
    assert {pick.slots_open for pick in Pick.objects.exclude(pk__in=free)} == {1}
    for one in planted:
        pick = Pick.objects.get(region=one.region)
        assert one.suggestion == pick.parts["second"] != pick.parts["predicted"]


def test_a_planted_answer_that_is_taken_back_comes_back_as_it_was():
    study = checked.suggesting_study(20, seed=1, wrong_suggestion_rate=0.5, suggestion_control_share=0.0)
    member = factories.member(study)
    rows = [submit(member, checked.CODES[0]) for _ in range(20)]
    planted = next(row.assignment for row in rows if row.assignment_kind == AssignmentKind.SWAY)
    back = queue.undo(member=member, token=planted.token, idempotency_key="back")
    assert (back.kind, back.suggestion, back.suggestion_is_planted, back.pick) == (
        AssignmentKind.SWAY, planted.suggestion, True, None,
    )  # fmt: skip


def test_checks_get_suggestions_at_the_rate_of_other_regions():
    """Else a region without any would be known for a test."""
    study = checked.suggesting_study(
        30, seed=2, suggestion_control_share=0.3, gold_rate=0.5, repeat_rate=0.3, repeat_after_answers=1
    )
    on = study.slides.get()
    Region.objects.filter(slide=on).update(y=1000)
    for index in range(40):
        factories.gold(factories.region(on, x=index * 64, index=1000 + index), label=checked.CODES[index % 4])
    member = factories.member(study)
    for _ in range(60):
        submit(member, checked.CODES[0])
    rows = Assignment.objects.filter(annotator=member, state=AssignmentState.SUBMITTED)
    for kind in (AssignmentKind.GOLD, AssignmentKind.REPEAT, AssignmentKind.LABEL):
        some = [row.suggestion for row in rows.filter(kind=kind)]
        assert len(some) >= 8 and 0.4 <= sum(map(bool, some)) / len(some) <= 0.95, kind
    again = {row.region_id: row.suggestion for row in rows.filter(kind=AssignmentKind.REPEAT)}
    first = {row.region_id: row.suggestion for row in rows.filter(kind=AssignmentKind.LABEL, region__in=again)}
    assert again == first
    right = [row.suggestion == row.region.gold.label for row in rows.filter(kind="gold").exclude(suggestion="")]
    assert any(right) and not all(right)


@pytest.mark.parametrize(("followed", "lapses", "inside"), [(0, 0, 0.0), (50, 0, 0.5), (55, 10, 0.5), (100, 0, 1.0)])
def test_sway_is_what_is_left_of_following_when_plain_lapses_are_taken_off(followed, lapses, inside):
    found = estimate_sway(followed=followed, planted=100, lapses=lapses, controls=100)
    assert found is not None and found.low <= inside <= found.high + 0.01
    assert found.value == pytest.approx(inside, abs=0.01)


def test_nothing_is_said_where_nothing_was_planted_and_nonsense_is_refused():
    assert estimate_sway(followed=0, planted=0, lapses=0, controls=10) is None
    assert estimate_sway(followed=3, planted=5, lapses=0, controls=0) is None
    with pytest.raises(ValueError, match="no shares"):
        estimate_sway(followed=6, planted=5, lapses=0, controls=1)
