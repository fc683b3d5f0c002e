from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation import clock
from annotation.errors import Conflict
from annotation.models import Finding, LabelClass, LedgerEntry, Pick, Region, SelectionBatch
from annotation.selectors import checks, composition, findings, passes
from annotation.services import findings as decisions
from annotation.states import FindingState, PickState, RegionState
from tests import factories
from tests.annotation.consistency_studies import answered, decide, decided, run_pass

pytestmark = pytest.mark.django_db


def plant_twins(study, *, pairs: int) -> None:
    """Give `pairs` pairs of differently labelled regions the same pixels."""
    names = list(Region.objects.filter(study=study).order_by("slide", "index"))
    by_label: dict[str, list[Region]] = {}
    for region in names:
        by_label.setdefault(Region.objects.get(pk=region.pk).current_revision.label, []).append(region)
    left, right = by_label["neutrophil"], by_label["lymphocyte"]
    for number in range(pairs):
        twins = [left[number].pk, right[number].pk]
        Region.objects.filter(pk__in=twins).update(pixel_digest=f"{number:064x}")


@pytest.fixture
def planted(db):
    """A pass with three pairs of twins, and a class under its own quota."""
    study, manager = decided(regions=12, slides=4)
    plant_twins(study, pairs=3)
    LabelClass.objects.filter(protocol=study.protocol, code="monocyte").update(quota=9)
    return study, manager, run_pass(study, manager)


def twins(row):
    return list(Finding.objects.filter(consistency_pass=row, rule="identical-regions").order_by("pk"))


def test_findings_are_counted_by_rule_in_one_query(planted, django_assert_num_queries):
    _, manager, row = planted
    first, second, third = twins(row)
    decisions.accept(finding=first, member=manager, reason="Right as they are.")
    decisions.waive(finding=second, member=manager, reason="Known.", until=clock.now() + timedelta(days=1))
    decisions.apply(finding=third, member=manager, reason="Look again.", fix="recheck")
    with django_assert_num_queries(1):
        found = {group.rule: group.counts for group in findings.groups(findings.of_pass(row))}
    assert found["identical-regions"] == {
        "open_blockers": 0, "open_warnings": 0, "fixed": 1, "accepted": 1, "waived": 1, "lapsing": 1, "lapsed": 0,
        "blocks": 1, "total": 3, "with_region": 3,
    }  # fmt: skip
    assert found["class-quota"]["open_blockers"] == found["class-quota"]["blocks"] == 1


def test_what_blocks_is_what_the_service_refuses_for(planted, monkeypatch):
    from annotation.services import releases

    _, manager, row = planted
    first, second, third = twins(row)
    until = clock.now() + timedelta(days=1)
    decisions.accept(finding=first, member=manager, reason="Right as they are.")
    decisions.waive(finding=second, member=manager, reason="Known.", until=until)
    decisions.apply(finding=third, member=manager, reason="Look again.", fix="recheck")
    for later in (timedelta(0), timedelta(days=2)):
        for module in (findings, releases):
            monkeypatch.setattr(module.timezone, "now", lambda later=later: clock.now() + later)
        blocking = findings.of_pass(row).filter(findings.stands_before_a_release())
        assert {one.pk for one in blocking} == {one.pk for one in releases.blockers(row)}
        assert blocking.count() == (2 if not later else 3)
    said = [one.sentence for one in checks.blockers(findings.groups(findings.of_pass(row)))]
    assert any("1 with a waiver that has run out, 1 fixed since, which a new pass has to see" in one for one in said)


def test_filters_name_domain_label_and_what_changed_since_the_pass_before(planted):
    study, manager, row = planted
    other = factories.slide(study)
    domain = study.domain_rows.create(name="lab-2")
    type(other).objects.filter(pk=other.pk).update(domain=domain)
    decide(factories.region(other, pixel_digest=f"{0:064x}"), manager, label="monocyte")
    later = run_pass(study, manager)
    assert findings.compare(row) is None
    # The quota's evidence has changed, so it is another finding; the fourth of the twins may pair anew by name.
    counted = findings.compare(later)
    assert counted["previous"] == 1
    assert counted["new"] + counted["changed"] + counted["kept"] == later.findings.count()
    for since in ("new", "changed", "kept", "gone"):
        rows = findings.select(later, since=since)
        assert rows.count() == counted[since]
        if since != "gone":
            assert {one.since for one in findings.attach_since(later, rows)} <= {since}
    assert findings.select(later, since="fresh").count() == counted["new"] + counted["changed"]
    assert counted["changed"] >= 1 and counted["kept"] >= 2
    assert {one.since for one in findings.attach_since(row, findings.of_pass(row))} == {""}
    assert all(one.consistency_pass_id == row.pk for one in findings.select(later, since="gone"))
    assert findings.select(row, since="new").count() == row.findings.count()
    twin = findings.select(later, rule="identical-regions")
    assert findings.select(later, label="monocyte") and not findings.select(later, label="monocyte", state="waived")
    assert findings.select(later, label="neutrophil", rule="identical-regions").count() <= twin.count()
    for name in ("lab-1", "lab-2"):
        for one in findings.select(later, domain=name):
            assert one.region.slide.domain.name == name


def test_a_filter_finds_labels_of_an_older_protocol_by_their_name_of_today(planted):
    study, manager, _ = planted
    new = factories.protocol(study, codes=("granulocyte", "lymphocyte", "monocyte"))
    new.mappings.create(source_code="neutrophil", target_code="granulocyte", kind="renamed")
    for code in ("lymphocyte", "monocyte"):
        new.mappings.create(source_code=code, target_code=code, kind="same")
    later = run_pass(study, manager)
    assert {one.pk for one in findings.select(later, label="granulocyte")} == {one.pk for one in twins(later)}
    assert composition.of_pass(later)["classes"][0]["all"] == 4


def test_the_items_a_pass_saw_come_with_a_page_in_one_query(planted, django_assert_num_queries):
    _, _, row = planted
    with django_assert_num_queries(2):
        found = findings.attach_seen(row, findings.select(row, rule="identical-regions"))
    for one in found:
        seen = {one.seen[key].revision.label for key in (one.region_id, one.counterpart_id)}
        assert seen == {"neutrophil", "lymphocyte"}


def test_many_rechecks_are_one_batch_with_the_managers_reason(planted):
    study, manager, row = planted
    before = SelectionBatch.objects.filter(study=study).count()
    decisions.apply_many(findings=twins(row), member=manager, reason="Focus was poor.", fix="recheck")
    assert SelectionBatch.objects.filter(study=study).count() == before + 1
    asked = Pick.objects.filter(study=study, state=PickState.OPEN)
    assert asked.count() == 6 and set(asked.values_list("reason", flat=True)) == {"Focus was poor."}
    assert Region.objects.filter(study=study, state=RegionState.QUEUED).count() == 6


def test_many_decisions_are_taken_back_together_or_not_at_all(planted):
    study, manager, row = planted
    found = twins(row)
    decisions.waive_many(findings=found[:2], member=manager, reason="Known.")
    with pytest.raises(Conflict, match="open already"):
        decisions.reopen_many(findings=found, member=manager, reason="In doubt.")
    assert {one.state for one in twins(row)} == {FindingState.WAIVED, FindingState.OPEN}
    before = LedgerEntry.objects.filter(study=study).count()
    decisions.reopen_many(findings=found[:2], member=manager, reason="In doubt.")
    assert {one.state for one in twins(row)} == {FindingState.OPEN}
    assert LedgerEntry.objects.filter(study=study).count() == before + 1


def test_a_decision_costs_the_same_queries_however_many_it_is_about_and_keeps_the_evidence(planted):
    _, manager, row = planted
    before, costs = {one.pk: one.data for one in twins(row)}, []
    for chosen in (twins(row)[:1], twins(row)[1:]):
        with CaptureQueriesContext(connection) as told:
            done = decisions.waive_many(findings=chosen, member=manager, reason="Known.")
        costs.append(len(told))
        for one in done:
            stored = Finding.objects.get(pk=one.pk)
            assert stored.data == one.data == {**before[one.pk], "decision": {"fix": "waive"}}
            assert (stored.state, stored.decided_by, stored.reason) == (FindingState.WAIVED, manager, "Known.")
    assert costs[0] == costs[1]
    decisions.reopen_many(findings=twins(row), member=manager, reason="In doubt.")
    assert {one.pk: one.data for one in twins(row)} == before


def test_a_region_named_by_two_findings_is_left_out_once(db):
    study, manager = decided(regions=6, slides=2)
    regions = list(Region.objects.filter(study=study).order_by("public_id"))
    Region.objects.filter(pk__in=[one.pk for one in regions[:4]]).update(pixel_digest="ab" * 32)
    row = run_pass(study, manager)
    found = twins(row)
    assert len({one.region_id for one in found}) == 1 and len(found) >= 2
    decisions.apply_many(findings=found, member=manager, reason="Blurred.", fix="exclude")
    excluded = Region.objects.filter(study=study, state=RegionState.EXCLUDED)
    assert [one.pk for one in excluded] == [found[0].region_id]


def test_a_pass_is_stale_for_changes_of_the_truth_and_not_for_decisions(planted, django_assert_num_queries):
    study, manager, row = planted
    decisions.accept(finding=twins(row)[0], member=manager, reason="Right as they are.")
    assert passes.moves_since(row)["changes"] == 0
    decide(factories.region(factories.slide(study)), manager, label="monocyte")
    with django_assert_num_queries(2):
        moved = passes.moves_since(row)
    assert moved["kinds"] == {"revision": 1} and not moved["is_capped"]


def test_a_composition_counts_what_a_release_holds():
    study, manager = answered(regions=9, slides=3)
    row = run_pass(study, manager)
    counted = composition.of_pass(row)
    assert counted["regions"] == row.numbers["released"] == 9
    assert {one["code"]: one["all"] for one in counted["classes"]} == row.numbers["classes"]
    assert sum(counted["cases"].values()) == 3
    assert sum(counted["sureness"].values()) == 9 and not counted["sureness"][composition.NO_OPINION]
    held = composition.held(row)
    assert {region: one.split for region, one in held.items()} == {
        region.public_id: row.numbers["slides"][region.slide.public_id][2]
        for region in Region.objects.filter(study=study).select_related("slide")
    }


def test_checks_say_what_refuses_a_release_and_what_is_worth_knowing(planted):
    study, manager, row = planted
    decide(factories.region(factories.slide(study)), manager, label="monocyte")
    found = checks.of_pass(row, counted=composition.of_pass(row))
    said = {(one.code, one.state) for one in found}
    assert {("finished", "passed"), ("blockers", "failed"), ("stale", "noted")} <= said
    assert {one.rule for one in found if one.state == "failed"} == {"class-quota", "identical-regions"}
    empty, boss = decided(regions=0, slides=1)
    bare = run_pass(empty, boss)
    refused = [one for one in checks.of_pass(bare, counted=composition.of_pass(bare)) if one.state == "failed"]
    assert [one.code for one in refused] == ["empty"]
