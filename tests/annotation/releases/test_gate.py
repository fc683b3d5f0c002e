"""What closes the gate before a release, in the service and in the database."""

import json
import shutil
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from annotation import clock
from annotation.errors import Conflict, GateClosed, Refused
from annotation.models import (
    Finding,
    PassItem,
    Region,
    ReleaseItem,
)
from annotation.releasing import files
from annotation.releasing.verify import verify
from annotation.services import findings, passes, releases
from annotation.states import Role
from tests import factories
from tests.annotation.consistency_studies import answered, insert_release, run_pass

pytestmark = pytest.mark.django_db


def test_an_open_blocker_closes_the_gate_of_the_service(blocked):
    study, manager, row, finding = blocked
    with pytest.raises(GateClosed, match="Class monocyte has 2 of the 3") as closed:
        releases.freeze(study=study, consistency_pass=row, member=manager)
    assert closed.value.details["blockers"] == [{"id": finding.pk, "rule": "class-quota", "message": finding.message}]
    assert not releases.root().exists() or not list(releases.root().iterdir())


def test_the_database_refuses_a_release_beside_an_open_blocker(blocked):
    _, _, row, _ = blocked
    with pytest.raises(DatabaseError, match="1 open blockers"), transaction.atomic():
        insert_release(row)


def test_a_waived_blocker_opens_the_gate_and_is_told(blocked):
    study, manager, row, finding = blocked
    findings.waive(finding=finding, member=manager, reason="Monocytes | are <rare>.")
    release = releases.freeze(study=study, consistency_pass=row, member=manager)
    where = releases.place(release)
    (decision,) = json.loads((where / "manifest.json").read_text())["decisions"]
    assert (decision["by"], decision["reason"], decision["state"]) == ("A1", "Monocytes | are <rare>.", "waived")
    assert "Monocytes \\| are \\<rare\\>." in (where / "datasheet.md").read_text()
    with pytest.raises(Conflict, match="has been released"):
        findings.reopen(finding=finding, member=manager, reason="Too late.")


def test_a_fix_that_changes_the_truth_keeps_the_gate_closed_until_a_new_pass(store):
    study, manager = answered(policy={"target_confidence": 0.8})
    rows = Region.objects.filter(study=study, known_truth__label__in=["neutrophil", "monocyte"])
    twins = list(rows.order_by("known_truth__label").values_list("pk", flat=True))[1:3]
    Region.objects.filter(pk__in=twins).update(pixel_digest="cd" * 32)
    study.slides.update(case=study.cases.first())
    row = run_pass(study)
    finding = Finding.objects.get(consistency_pass=row)
    findings.apply(finding=finding, member=manager, reason="Blurred.", fix="exclude")
    with pytest.raises(GateClosed, match="1 of them were fixed since; a new pass will see it"):
        releases.freeze(study=study, consistency_pass=row)
    with pytest.raises(DatabaseError, match="run a new pass"), transaction.atomic():
        insert_release(row)
    release = releases.freeze(study=study, consistency_pass=run_pass(study), member=manager)
    assert release.items_count == 5 and verify(releases.place(release)).ok


def test_the_database_keeps_findings_passes_and_releases_as_they_were(blocked):
    study, manager, row, finding = blocked
    attempts = {
        "not deleted": finding.delete,
        "What a rule has found": lambda: Finding.objects.filter(pk=finding.pk).update(severity="warning"),
        "finished consistency pass": lambda: type(row).objects.filter(pk=row.pk).update(ledger_position=1),
        "nothing can be added to what it saw": lambda: PassItem.objects.create(
            consistency_pass=row,
            region=factories.region(factories.slide(study)),
            revision=study.revisions.first(),
        ),
    }
    for reason, attempt in attempts.items():
        with pytest.raises(DatabaseError, match=reason), transaction.atomic():
            attempt()
    findings.waive(finding=finding, member=manager, reason="Rare.")
    release = releases.freeze(study=study, consistency_pass=row)
    other = factories.region(factories.slide(study))
    attempts = {
        "its findings no longer change": lambda: Finding.objects.create(
            consistency_pass=row, rule="later", severity="blocker", message="Late."
        ),
        "nothing can be added to it": lambda: ReleaseItem.objects.create(
            release=release, region=other, revision=study.revisions.first(), split="train"
        ),
    }
    for reason, attempt in attempts.items():
        with pytest.raises(DatabaseError, match=reason), transaction.atomic():
            attempt()


def test_only_a_finished_pass_of_the_study_with_something_in_it_is_released(clean):
    study, manager, row = clean
    with pytest.raises(GateClosed, match="Pass 2 is running"):
        releases.freeze(study=study, consistency_pass=passes.start(study=study))
    other = factories.study()
    with pytest.raises(Refused, match="another study"):
        releases.freeze(study=other, consistency_pass=row)
    with pytest.raises(GateClosed, match="nothing to release"):
        releases.freeze(study=other, consistency_pass=run_pass(other))
    with pytest.raises(Refused, match="manager of the study"):
        releases.freeze(study=study, consistency_pass=row, member=factories.member(study))


def test_a_manager_of_another_study_cuts_nothing(clean):
    study, _, row = clean
    stranger = factories.member(factories.study(), Role.MANAGER)
    with pytest.raises(Refused):
        releases.freeze(study=study, consistency_pass=row, member=stranger)


def test_a_release_is_restored_after_a_waiver_in_it_has_run_out(blocked, monkeypatch):
    study, manager, row, finding = blocked
    until = clock.now() + timedelta(hours=1)
    findings.waive(finding=finding, member=manager, reason="Rare here.", until=until)
    release = releases.freeze(study=study, consistency_pass=row, member=manager)
    before = {name: path.read_bytes() for name, path in files.listed(releases.place(release)).items()}
    shutil.rmtree(releases.place(release))
    monkeypatch.setattr(releases.timezone, "now", lambda: until + timedelta(hours=1))
    assert releases.freeze(study=study, consistency_pass=row, member=manager) == release
    assert {name: path.read_bytes() for name, path in files.listed(releases.place(release)).items()} == before
