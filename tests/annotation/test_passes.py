import json
from dataclasses import replace
from datetime import timedelta

import pytest

from annotation import clock
from annotation.errors import BadInput, Conflict, Refused
from annotation.models import Finding, Job, LabelClass, LedgerEntry, Membership, PassItem, Pick, Region, Slide
from annotation.policy import Policy
from annotation.rules import posterior_target
from annotation.selectors import passview
from annotation.services import findings, ledger, passes, picks, queue, truth
from annotation.states import JobKind, Method, PassState, PickState, RegionState, Role
from tests import factories
from tests.annotation.consistency_studies import answer_all, answered, decided, run_pass

pytestmark = pytest.mark.django_db


def found(row, rule=None):
    rows = Finding.objects.filter(consistency_pass=row).order_by("id")
    return list(rows.filter(rule=rule) if rule else rows)


@pytest.fixture
def clean():
    return answered()


def twins(study):
    """Make two settled regions with different labels the same pixels."""
    first, other = (Region.objects.get(current_revision__label=label, study=study, index=0) for label in LABEL_PAIR)
    Region.objects.filter(pk__in=[first.pk, other.pk]).update(pixel_digest="ab" * 32)
    Slide.objects.filter(pk=other.slide_id).update(case=first.slide.case)
    return sorted((first.public_id, other.public_id))


LABEL_PAIR = ("neutrophil", "lymphocyte")


def test_start_pins_the_head_and_enqueues_one_job(clean):
    study, manager = clean
    head = ledger.head(study)
    row = passes.start(study=study, member=manager)
    assert (row.number, row.state, row.ledger_position, row.ledger_digest) == (1, "running", head.position, head.digest)
    job = Job.objects.get(study=study, kind=JobKind.CONSISTENCY_PASS)
    assert (job.key, job.payload) == ("1", {"pass": 1})


def test_a_study_without_protocol_has_nothing_to_check():
    with pytest.raises(BadInput, match="no protocol"):
        passes.start(study=factories.StudyFactory.create())


def test_agreeing_people_give_a_clean_pass_of_all_regions(clean):
    study, _ = clean
    row = run_pass(study)
    assert (row.state, found(row), row.numbers["released"]) == (PassState.DONE, [], 6)
    assert PassItem.objects.filter(consistency_pass=row).count() == 6
    assert LedgerEntry.objects.filter(study=study).latest("position").kind == "pass"


def test_a_pass_knows_which_regions_people_were_asked_about_again(clean):
    study, manager = clean
    again = Region.objects.filter(study=study).earliest("pk")
    picks.recheck(study=study, regions=[again], reason="borderline")
    for member in Membership.objects.filter(study=study, role=Role.ANNOTATOR).select_related("study__protocol"):
        answer_all(member)
    items = passview.read(passes.start(study=study, member=manager)).view.items
    assert {item.region: item.is_rechecked for item in items} == {
        region.public_id: region == again for region in Region.objects.filter(study=study)
    }


def test_running_a_pass_twice_changes_nothing_the_second_time(clean):
    study, _ = clean
    row = run_pass(study)
    entries = ledger.head(study).position
    assert passes.execute(row).finished_at == row.finished_at
    assert ledger.head(study).position == entries
    assert PassItem.objects.filter(consistency_pass=row).count() == 6


def test_what_comes_after_the_position_is_not_in_the_pass(clean):
    study, manager = clean
    row = passes.start(study=study)
    changed, excluded = Region.objects.filter(study=study).order_by("public_id")[:2]
    before = {region.pk: region.current_revision_id for region in (changed, excluded)}
    truth.decide(
        region=changed, member=manager, answer={"kind": "class", "label": "monocyte"}, reason="I looked again."
    )
    truth.decide(region=excluded, member=manager, answer=None, reason="Blurred.", exclude=True)
    factories.pick(factories.region(factories.slide(study), truth="monocyte"))
    answer_all(factories.member(study))
    passes.execute(row)
    seen = dict(PassItem.objects.filter(consistency_pass=row).values_list("region_id", "revision_id"))
    assert len(seen) == 6 and {key: seen[key] for key in before} == before
    later = run_pass(study)
    items = PassItem.objects.filter(consistency_pass=later)
    assert items.get(region=changed).revision.method == Method.CONSISTENCY
    assert not items.filter(region=excluded).exists()
    assert [(one.severity, one.subject) for one in found(later)] == [("warning", "collecting")]


def test_the_canonical_consensus_is_that_of_the_position(clean):
    study, _ = clean
    row = passes.start(study=study)
    region = Region.objects.filter(study=study)[0]
    answers = row.study.annotations.count()
    factories.pick(region, stratum="recheck", slots=1)
    answer_all(factories.member(study), wrong=frozenset({region.public_id}))
    assert passes.execute(row).numbers["consensus"]["answers"] == answers
    assert run_pass(study).numbers["consensus"]["answers"] == answers + 1


def test_identical_pixels_with_different_labels_stand_before_a_release(clean):
    study, _ = clean
    names = twins(study)
    (one,) = found(run_pass(study))
    assert (one.rule, one.severity, one.fix) == ("identical-regions", "blocker", "recheck")
    assert [one.region.public_id, one.counterpart.public_id] == names


def test_a_label_that_later_answers_made_doubtful_is_named():
    study, _ = answered(policy={"target_confidence": 0.6})
    study.policy_values["target_confidence"] = 0.9999
    study.save()
    row = run_pass(study)
    assert {one.rule for one in found(row)} == {"posterior-target"}
    items = PassItem.objects.filter(consistency_pass=row)
    unsure = [item.region_id for item in items if item.posterior[item.revision.label] < 0.9999]
    assert sorted(one.region_id for one in found(row)) == sorted(unsure)


def test_a_class_under_its_quota_is_named(clean):
    study, _ = clean
    LabelClass.objects.filter(protocol=study.protocol, code="monocyte").update(quota=3)
    (one,) = found(run_pass(study))
    assert (one.rule, one.subject, one.data["evidence"]) == ("class-quota", "class monocyte", {"count": 2, "quota": 3})


def test_answers_under_an_old_protocol_without_an_exact_mapping_are_stale(clean):
    study, _ = clean
    new = factories.protocol(study, codes=("neutrophil", "lymphocyte", "promonocyte"))
    for code in ("neutrophil", "lymphocyte"):
        new.mappings.create(source_code=code, target_code=code, kind="same")
    new.mappings.create(source_code="monocyte", target_code="promonocyte", kind="redefined")
    row = run_pass(study)
    stale = found(row, "stale-protocol")
    assert {one.region.current_revision.label for one in stale} == {"monocyte"} and len(stale) == 2
    assert row.numbers["released"] == 4
    assert row.numbers["left_out"]["without an exact class in this protocol"] == 2


def test_a_renamed_class_is_carried_over(clean):
    study, _ = clean
    new = factories.protocol(study, codes=("neutrophil", "lymphocyte", "mono"))
    for code, target, kind in (
        ("neutrophil", "neutrophil", "same"),
        ("lymphocyte", "lymphocyte", "same"),
        ("monocyte", "mono", "renamed"),
    ):
        new.mappings.create(source_code=code, target_code=target, kind=kind)
    row = run_pass(study)
    assert found(row) == [] and row.numbers["classes"] == {"lymphocyte": 2, "mono": 2, "neutrophil": 2}


def test_open_decisions_are_unresolved(clean):
    study, _ = clean
    first = Region.objects.filter(study=study).order_by("public_id")[0]
    waits = factories.region(factories.slide(study), truth="monocyte")
    factories.pick(waits, slots=1, overlap=1)
    answer_all(factories.member(study))
    truth.escalate(pick=Pick.objects.get(region=waits))
    at = clock.now()
    revision = truth.reopen(region=first, study=study, reason="Taken back.", method=Method.WITHDRAWAL, at=at)
    ledger.append(study=study, kind="revision", payload={"revision": revision.content()}, at=at)
    rows = found(run_pass(study), "unresolved")
    said = {one.region.public_id: one.data["evidence"]["why"] for one in rows}
    assert said == {first.public_id: "reopened", waits.public_id: "adjudication"}


def test_a_row_without_a_ledger_entry_breaks_the_pass(clean):
    study, manager = clean
    region = Region.objects.filter(study=study)[0]
    truth.reopen(region=region, study=study, reason="Unsaid.", method=Method.WITHDRAWAL, at=clock.now())
    (one,) = found(run_pass(study))
    assert one.rule == "ledger-broken" and region.public_id in one.message
    for fix in ("waive", "accept"):
        with pytest.raises(Refused, match="neither accepted nor waived"):
            findings.apply(finding=one, member=manager, reason="Never mind.", fix=fix)


def test_splits_keep_cases_whole_and_send_the_audit_sample_to_test():
    study, _ = decided(regions=24, slides=12)
    study.cases.filter(code__in=list(study.cases.values_list("code", flat=True)[:3])).update(audit_half="report")
    Region.objects.filter(slide__case__audit_half="report").update(audit_half="report")
    slides = run_pass(study).numbers["slides"]
    splits = {case: split for case, _, split in slides.values()}
    assert len(splits) == 12 and set(splits.values()) == {"train", "validation", "test"}
    audit = study.cases.filter(audit_half="report").values_list("code", flat=True)
    assert {splits[code] for code in audit} == {"test"}


def test_a_waiver_holds_in_later_passes_while_its_finding_is_the_same(clean):
    study, manager = clean
    twins(study)
    (one,) = found(run_pass(study))
    findings.waive(finding=one, member=manager, reason="A borderline cell.")
    (carried,) = found(run_pass(study))
    assert (carried.state, carried.reason, carried.decided_by) == ("waived", "A borderline cell.", manager)
    assert carried.data["decision"] == {"fix": "waive", "carried_from": 1}
    (again,) = found(run_pass(study))
    assert again.data["decision"]["carried_from"] == 1
    truth.decide(
        region=one.region, member=manager, answer={"kind": "class", "label": "monocyte"}, reason="Looked again."
    )
    (changed,) = found(run_pass(study))
    assert changed.state == "open", "the labels differ from those that were waived"


def test_a_waiver_that_has_run_out_is_not_carried(clean):
    study, manager = clean
    twins(study)
    with clock.virtual(clock.now()):
        (one,) = found(run_pass(study))
        until = clock.now() + timedelta(days=1)
        findings.waive(finding=one, member=manager, reason="Until the expert is back.", until=until)
        assert found(run_pass(study))[0].state == "waived"
        clock.advance(timedelta(days=2))
        assert found(run_pass(study))[0].state == "open"


def test_a_reopened_waiver_is_not_carried_from_an_older_pass(clean):
    study, manager = clean
    twins(study)
    findings.waive(finding=found(run_pass(study))[0], member=manager, reason="Fine.")
    findings.reopen(finding=found(run_pass(study))[0], member=manager, reason="Not fine.")
    assert found(run_pass(study))[0].state == "open"


def test_a_waiver_of_an_older_version_of_a_rule_is_not_carried(clean, monkeypatch):
    study, manager = clean
    study.policy_values["target_confidence"] = 0.9999
    study.save()
    row = run_pass(study)
    findings.waive_many(findings=found(row), member=manager, reason="Good enough.")
    newer = replace(posterior_target.RULE, version=2)
    monkeypatch.setattr("annotation.services.passes.RULES", (newer,))
    assert {one.state for one in found(run_pass(study))} == {"open"}


def test_fixes_change_the_truth_and_a_new_pass_sees_it(clean):
    study, manager = clean
    names = twins(study)
    (one,) = found(run_pass(study))
    findings.apply(finding=one, member=manager, reason="Ask again.")
    one.refresh_from_db()
    assert (one.state, one.data["decision"]) == ("resolved", {"fix": "recheck"})
    asked = Region.objects.filter(study=study, state=RegionState.QUEUED)
    assert sorted(asked.values_list("public_id", flat=True)) == names
    again = found(run_pass(study))
    assert sorted(one.region.public_id for one in again if one.rule == "unresolved") == names
    assert {one.data["evidence"]["why"] for one in again} == {"recheck"}


def test_excluding_and_deciding_are_revisions_by_name(clean):
    study, manager = clean
    twins(study)
    (one,) = found(run_pass(study))
    findings.apply(finding=one, member=manager, reason="Blurred.", fix="exclude")
    one.region.refresh_from_db()
    revision = one.region.current_revision
    assert revision.is_excluded and (revision.actor, revision.reason) == (manager, "Blurred.")
    assert found(run_pass(study)) == []


def test_adjudicating_with_an_answer_decides_and_without_one_hands_over(clean):
    study, manager = clean
    twins(study)
    (one,) = found(run_pass(study))
    answer = {"kind": "class", "label": "lymphocyte"}
    findings.apply(finding=one, member=manager, reason="Clear.", fix="adjudicate", answer=answer)
    one.region.refresh_from_db()
    assert one.region.current_revision.label == "lymphocyte"
    Region.objects.filter(pk=one.region_id).update(pixel_digest="")
    study.policy_values["target_confidence"] = 0.9999
    study.save()
    row = run_pass(study)
    other = found(row, "posterior-target")[0]
    findings.apply(finding=other, member=manager, reason="An expert should look.", fix="adjudicate")
    other.region.refresh_from_db()
    assert other.region.state == RegionState.ADJUDICATION
    adjudicator = factories.member(study, Role.ADJUDICATOR)
    lease = queue.claim(member=adjudicator, kind="adjudicate")
    assert lease is not None and lease.region_id == other.region_id
    queue.submit(member=adjudicator, token=lease.token, answer=answer, idempotency_key="x", reason="Clear.")
    assert not Pick.objects.filter(state=PickState.ADJUDICATION).exists()


def test_decisions_need_a_manager_a_reason_and_an_open_finding(clean):
    study, manager = clean
    twins(study)
    (one,) = found(run_pass(study))
    for person in (factories.member(study), factories.member(factories.study(), Role.MANAGER)):
        with pytest.raises(Refused, match="manager of the study"):
            findings.waive(finding=one, member=person, reason="I say so.")
    with pytest.raises(BadInput, match="needs a reason"):
        findings.waive(finding=one, member=manager, reason="  ")
    with pytest.raises(BadInput, match="'wish' is no fix"):
        findings.apply(finding=one, member=manager, reason="Please.", fix="wish")
    with pytest.raises(BadInput, match="run out already"):
        findings.waive(finding=one, member=manager, reason="Short.", until=clock.now() - timedelta(days=1))
    findings.accept(finding=one, member=manager, reason="Both are right.")
    with pytest.raises(Conflict, match="resolved already"):
        findings.waive(finding=one, member=manager, reason="Twice.")


def test_a_finding_without_a_region_cannot_be_asked_again(clean):
    study, manager = clean
    LabelClass.objects.filter(protocol=study.protocol, code="monocyte").update(quota=3)
    (one,) = found(run_pass(study))
    with pytest.raises(BadInput, match="needs a region"):
        findings.apply(finding=one, member=manager, reason="More.", fix="recheck")


def test_decisions_enter_the_ledger_and_many_are_one_entry(clean):
    study, manager = clean
    study.policy_values = {**Policy().to_json(), **study.policy_values, "target_confidence": 0.9999}
    study.save()
    row = run_pass(study)
    several = found(row)
    assert len(several) > 2
    before = ledger.head(study).position
    findings.waive(finding=several[0], member=manager, reason="Good enough.")
    findings.waive_many(findings=several[1:], member=manager, reason="All good enough.")
    one, many = LedgerEntry.objects.filter(study=study, position__gt=before).order_by("position")
    assert (one.kind, many.kind) == ("finding", "bulk")
    assert json.loads(one.payload)["finding"]["reason"] == "Good enough."
    assert len(json.loads(many.payload)["findings"]) == len(several) - 1
    assert ledger.verify(study).ok


def test_many_are_decided_all_or_none(clean):
    study, manager = clean
    study.policy_values["target_confidence"] = 0.9999
    study.save()
    several = found(run_pass(study))
    findings.waive(finding=several[-1], member=manager, reason="Done.")
    with pytest.raises(Conflict):
        findings.waive_many(findings=several, member=manager, reason="All.")
    assert {one.state for one in Finding.objects.filter(pk__in=[one.pk for one in several[:-1]])} == {"open"}


def test_region_that_nobody_could_answer_is_unresolved():
    study, _ = answered()
    pick = factories.pick(factories.region(factories.slide(study)))
    for _ in range(study.policy.max_skips):
        person = factories.member(study)
        queue.skip(member=person, token=queue.claim(member=person).token, reason="blurred")
    row = run_pass(study)
    (finding,) = Finding.objects.filter(consistency_pass=row, rule="unresolved")
    assert (finding.region, finding.severity) == (pick.region, "blocker")
