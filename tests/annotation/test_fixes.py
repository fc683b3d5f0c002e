import json

import pytest

from annotation import clock
from annotation.errors import BadInput, Conflict
from annotation.models import (
    ConsistencyPass,
    Finding,
    Gold,
    GroundTruthRevision,
    LedgerEntry,
    Membership,
    Region,
    Study,
)
from annotation.selectors import passes as pass_reads
from annotation.services import findings, ledger
from annotation.states import FindingState, Method, RegionState
from tests import factories
from tests.annotation.consistency_studies import answered, decided, run_pass

pytestmark = pytest.mark.django_db

Planted = tuple[Study, Membership, list[Region], ConsistencyPass]


def found(row: ConsistencyPass, rule: str) -> list[Finding]:
    return list(Finding.objects.filter(consistency_pass=row, rule=rule).order_by("pk"))


def entries_after(study: Study, position: int) -> list[LedgerEntry]:
    return list(LedgerEntry.objects.filter(study=study, position__gt=position).order_by("position"))


def same_pixels(regions: list[Region]) -> None:
    Region.objects.filter(pk__in=[one.pk for one in regions]).update(pixel_digest="ab" * 32)


def make_gold(study: Study, regions: list[Region], *, label: str) -> None:
    Gold.objects.bulk_create(
        Gold(region=one, protocol=study.protocol, label=label, source="file", added_at=clock.now()) for one in regions
    )


@pytest.fixture
def leaking() -> Planted:
    """Three regions of one class on slides of three cases, all with the same pixels."""
    study, manager = decided(regions=12, slides=4)
    regions = list(Region.objects.filter(study=study, current_revision__label="monocyte").order_by("public_id"))[:3]
    same_pixels(regions)
    return study, manager, regions, run_pass(study, manager)


@pytest.fixture
def stale() -> Planted:
    """A class was redefined since: its two regions have no exact class in today's protocol."""
    study, manager = answered()
    regions = list(Region.objects.filter(study=study, current_revision__label="monocyte").order_by("public_id"))
    new = factories.protocol(study, codes=("neutrophil", "lymphocyte", "promonocyte"))
    for code in ("neutrophil", "lymphocyte"):
        new.mappings.create(source_code=code, target_code=code, kind="same")
    new.mappings.create(source_code="monocyte", target_code="promonocyte", kind="redefined")
    manager.refresh_from_db()
    return study, Membership.objects.get(pk=manager.pk), regions, run_pass(study, manager)


def test_merging_keeps_one_of_all_that_the_findings_join_and_is_one_entry(leaking):
    study, manager, regions, row = leaking
    pairs = found(row, "leaking-pixels")
    assert len(pairs) == 2 and {one.fix for one in pairs} == {"merge"}
    head = ledger.head(study).position
    findings.apply_many(findings=pairs, member=manager, reason="Imported twice.")
    standing = [one for one in Region.objects.filter(pk__in=[one.pk for one in regions]) if one.state == "settled"]
    assert len(standing) == 1
    left_out = GroundTruthRevision.objects.filter(region__in=regions, is_excluded=True)
    assert left_out.count() == 2
    assert all(f"same as region {standing[0].public_id}" in one.reason for one in left_out)
    (entry,) = entries_after(study, head)
    payload = json.loads(entry.payload)
    assert (entry.kind, len(payload["rows"]), len(payload["findings"])) == ("fix", 2, 2)
    assert ledger.verify(study).ok
    assert found(run_pass(study, manager), "leaking-pixels") == []


def test_merging_keeps_what_people_answered_and_above_all_the_audit_sample():
    study, manager = answered(regions=4, slides=4, people=2, policy={"default_quota": 0})
    first, other = Region.objects.filter(study=study, current_revision__label="neutrophil").order_by("public_id")
    same_pixels([first, other])
    (finding,) = found(run_pass(study, manager), "leaking-pixels")
    Region.objects.filter(pk=other.pk).update(audit_half="report")
    findings.apply(finding=finding, member=manager, reason="Twice.", fix="merge")
    assert Region.objects.get(pk=other.pk).state == RegionState.SETTLED
    assert Region.objects.get(pk=first.pk).state == RegionState.EXCLUDED


def test_merging_needs_two_regions_of_which_one_still_stands(leaking):
    study, manager, regions, row = leaking
    alone = Finding.objects.create(
        consistency_pass=ConsistencyPass.objects.create(
            study=study, number=9, ledger_position=1, ledger_digest="0" * 64, created_at=row.created_at
        ),
        rule="stale-protocol", severity="blocker", region=regions[0], message="Old.", data={"evidence_digest": ""},
    )  # fmt: skip
    with pytest.raises(BadInput, match="names one"):
        findings.apply(finding=alone, member=manager, reason="Merge.", fix="merge")
    pairs = found(row, "leaking-pixels")
    findings.apply_many(findings=pairs, member=manager, reason="All wrong.", fix="exclude")
    again = findings.reopen_many(findings=pairs, member=manager, reason="Too quick.")
    Region.objects.filter(pk__in=[one.pk for one in regions]).update(current_revision=None)
    with pytest.raises(Conflict, match="None of the duplicates"):
        findings.apply_many(findings=again, member=manager, reason="Merge.", fix="merge")
    assert {one.state for one in found(row, "leaking-pixels")} == {FindingState.OPEN}


def test_stale_answers_are_carried_over_together_to_the_class_that_the_manager_names(stale):
    study, manager, regions, row = stale
    several = found(row, "stale-protocol")
    head = ledger.head(study).position
    sure = {one.pk: one.current_revision.confidence for one in regions}
    answer = {"kind": "class", "label": "promonocyte"}
    findings.apply_many(findings=several, member=manager, reason="All of them are.", fix="map", answer=answer)
    for region in Region.objects.filter(pk__in=[one.pk for one in regions]).select_related("current_revision"):
        revision = region.current_revision
        assert (revision.label, revision.method, revision.actor) == ("promonocyte", Method.MAPPING, manager)
        assert revision.protocol == study.protocol and revision.confidence == sure[region.pk]
    (entry,) = entries_after(study, head)
    assert entry.kind == "fix" and len(json.loads(entry.payload)["rows"]) == 2
    assert ledger.verify(study).ok
    later = run_pass(study, manager)
    assert found(later, "stale-protocol") == [] and later.numbers["classes"]["promonocyte"] == 2


def test_carrying_over_needs_a_class_of_today(stale):
    _, manager, _, row = stale
    several = found(row, "stale-protocol")
    with pytest.raises(BadInput, match="which class"):
        findings.apply_many(findings=several, member=manager, reason="Carry.", fix="map")
    with pytest.raises(BadInput, match="monocyte"):
        answer = {"kind": "class", "label": "monocyte"}
        findings.apply_many(findings=several, member=manager, reason="Carry.", fix="map", answer=answer)
    assert {one.state for one in found(row, "stale-protocol")} == {FindingState.OPEN}


def test_leaving_many_out_is_one_entry_and_makes_the_pass_stale(leaking):
    study, manager, _, _ = leaking
    regions = list(Region.objects.filter(study=study, current_revision__label="neutrophil").order_by("public_id"))
    make_gold(study, regions, label="lymphocyte")
    row = run_pass(study, manager)
    wrong = found(row, "gold-failed")
    head = ledger.head(study).position
    findings.apply_many(findings=wrong, member=manager, reason="Blurred.", fix="exclude")
    (entry,) = entries_after(study, head)
    assert (entry.kind, len(json.loads(entry.payload)["rows"])) == ("fix", len(regions))
    assert pass_reads.moves_since(row)["kinds"] == {"fix": 1}
    assert Region.objects.filter(study=study, state=RegionState.EXCLUDED).count() == len(regions)
    assert ledger.verify(study).ok


def test_the_queries_of_a_bulk_fix_do_not_grow_with_its_findings(leaking, django_assert_max_num_queries):
    study, manager, _, _ = leaking
    regions = list(Region.objects.filter(study=study, current_revision__label="neutrophil").order_by("public_id"))
    make_gold(study, regions, label="lymphocyte")
    row = run_pass(study, manager)
    with django_assert_max_num_queries(30):
        findings.apply_many(findings=found(row, "gold-failed"), member=manager, reason="Blurred.", fix="exclude")
