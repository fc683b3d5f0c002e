"""Restoring an earlier revision, and sending a region back."""

import pytest

from annotation.errors import BadInput, Conflict, Missing, Refused
from annotation.models import GroundTruthRevision, LedgerEntry, Pick
from annotation.services import ledger, picks, queue, reviewing, truth
from annotation.states import EXACT_MAPPINGS, MappingKind, Method, PickState, RegionState, Role, Stratum
from tests import factories
from tests.annotation.answering import answer, submit

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(study):
    return factories.member(study, Role.MANAGER)


@pytest.fixture
def region(study):
    """Two people agreed on neutrophil: revision 1."""
    row = factories.region(factories.slide(study))
    factories.pick(row)
    for _ in range(2):
        submit(factories.member(study))
    return row


def rows(region):
    return list(GroundTruthRevision.objects.filter(region=region).order_by("number").values())


def test_restore_writes_the_next_revision_and_leaves_the_old_ones_as_they_were(study, manager, region):
    truth.decide(region=region, member=manager, answer=answer("monocyte"), reason="Looks folded.")
    before = rows(region)
    done = reviewing.restore(region=region, member=manager, number=1, reason="It was right.")
    assert rows(region)[:2] == before
    assert (done.number, done.label, done.method, done.actor) == (3, "neutrophil", Method.RESTORE, manager)
    assert done.confidence == before[0]["confidence"] and done.posterior == before[0]["posterior"]
    assert done.reason == "Revision 1 restored: It was right."
    region.refresh_from_db()
    assert (region.current_revision, region.state) == (done, RegionState.SETTLED)
    entry = LedgerEntry.objects.filter(study=study).order_by("-position").first()
    assert entry.kind == "restore" and '"restores":1' in entry.payload
    assert ledger.verify(study).ok


def test_restore_ends_a_recheck_under_way(study, manager, region):
    reviewing.send_back(region=region, member=manager, reason="borderline")
    done = reviewing.restore(region=region, member=manager, number=1, reason="Asked too soon.")
    assert done.number == 3
    assert not Pick.objects.filter(region=region, state__in=truth.LIVE_PICKS).exists()
    assert queue.claim(member=factories.member(study)) is None
    region.refresh_from_db()
    assert region.state == RegionState.SETTLED


def test_a_region_that_was_left_out_comes_back_and_can_be_left_out_again(manager, region):
    truth.decide(region=region, member=manager, answer=None, reason="Blurred.", exclude=True)
    back = reviewing.restore(region=region, member=manager, number=1, reason="Sharp enough.")
    region.refresh_from_db()
    assert back.is_settled and region.state == RegionState.SETTLED
    out = reviewing.restore(region=region, member=manager, number=2, reason="No, blurred.")
    region.refresh_from_db()
    assert out.is_excluded and not out.is_settled and region.state == RegionState.EXCLUDED


def test_what_stands_already_is_not_restored(manager, region):
    with pytest.raises(Conflict, match="stands already"):
        reviewing.restore(region=region, member=manager, number=1, reason="Again.")
    assert len(rows(region)) == 1


def test_restore_refuses_what_says_nothing(study, manager, region):
    reviewing.send_back(region=region, member=manager, reason="borderline")
    refused = [
        (Missing, {"number": 9, "reason": "x"}, manager),
        (BadInput, {"number": 2, "reason": "x"}, manager),
        (BadInput, {"number": 1, "reason": "  "}, manager),
        (Refused, {"number": 1, "reason": "x"}, factories.member(study, Role.ADJUDICATOR)),
    ]
    for error, values, member in refused:
        with pytest.raises(error):
            reviewing.restore(region=region, member=member, **values)
    assert len(rows(region)) == 2


def test_restore_carries_a_class_over_to_todays_protocol_only_where_the_mapping_is_exact(study, manager, region):
    protocol = factories.protocol(study, codes=("granulocyte", "lymphocyte", "monocyte"))
    mapped = protocol.mappings.create(source_code="neutrophil", target_code="granulocyte", kind=MappingKind.SPLIT)
    assert MappingKind.SPLIT not in EXACT_MAPPINGS
    with pytest.raises(BadInput, match="no exact successor"):
        reviewing.restore(region=region, member=manager, number=1, reason="It was right.")
    mapped.kind = MappingKind.RENAMED
    mapped.save()
    done = reviewing.restore(region=region, member=manager, number=1, reason="It was right.")
    assert (done.label, done.protocol, done.posterior) == ("granulocyte", protocol, {})


def test_a_region_sent_back_is_asked_again_with_the_managers_note(study, manager, region):
    reviewing.send_back(region=region, member=manager, reason="borderline", note="Look at the nucleus.")
    region.refresh_from_db()
    assert (region.state, region.current_revision.is_settled) == (RegionState.QUEUED, False)
    assert region.current_revision.actor == manager
    pick = Pick.objects.get(region=region, state=PickState.OPEN)
    assert (pick.stratum, pick.note, pick.reason) == (Stratum.RECHECK, "Look at the nucleus.", "borderline")
    assert ledger.verify(study).ok
    with pytest.raises(Conflict, match="being asked"):
        reviewing.send_back(region=region, member=manager, reason="again")


def test_what_was_sent_back_comes_first_to_those_it_was_sent_to_and_stands_out_to_nobody_else(study, manager, region):
    for _ in range(3):
        factories.pick(factories.region(region.slide))
    type(region).objects.filter(pk=region.pk).update(public_id="z" * 20)
    reviewing.send_back(region=region, member=manager, reason="borderline", note="Look at the nucleus.")
    author = study.memberships.filter(role=Role.ANNOTATOR).first()
    assert queue.claim_batch(member=author, count=4)[0].region_id == region.pk
    ids = [lease.region.public_id for lease in queue.claim_batch(member=factories.member(study), count=4)]
    assert ids == sorted(ids) and ids[-1] == "z" * 20


def test_nothing_is_sent_back_that_nobody_has_answered(study, manager):
    fresh = factories.region(factories.slide(study))
    with pytest.raises(Conflict, match="Nobody has answered"):
        reviewing.send_back(region=fresh, member=manager, reason="why not")
    assert picks.open_count(study) == 0


def test_an_adjudication_needs_a_reason_and_the_revision_carries_it(study):
    row = factories.region(factories.slide(study))
    factories.pick(row, overlap=2)
    for label in ("neutrophil", "lymphocyte"):
        submit(factories.member(study), label)
    judge = factories.member(study, Role.ADJUDICATOR)
    lease = queue.claim(member=judge, kind="adjudicate")
    sent = {"member": judge, "token": lease.token, "answer": answer("monocyte"), "idempotency_key": "j"}
    with pytest.raises(BadInput, match="needs a reason"):
        queue.submit(**sent)
    done = queue.submit(**sent, reason=" Kidney-shaped nucleus. ")
    row.refresh_from_db()
    assert row.current_revision.reason == "Kidney-shaped nucleus."
    assert done.personal_text.text == "Kidney-shaped nucleus."
    assert ledger.verify(study).ok


def test_a_label_has_no_reason(study):
    factories.pick(factories.region(factories.slide(study)))
    with pytest.raises(BadInput, match="Leave a comment"):
        submit(factories.member(study), reason="because")
