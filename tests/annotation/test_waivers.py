"""A waiver until a day holds until then: in the service, in what the page shows, and in the database's own trigger."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from annotation.errors import GateClosed
from annotation.models import Finding, Release
from annotation.selectors import checks, composition, findings
from annotation.services import findings as decisions
from annotation.services import releases
from tests.annotation.consistency_studies import decided, run_pass

pytestmark = pytest.mark.django_db


@pytest.fixture
def waived(settings, tmp_path):
    """A pass whose only blocker is waived for three days."""
    settings.STORE = tmp_path / "store"
    study, manager = decided(regions=6, slides=3)
    study.protocol.classes.filter(code="monocyte").update(quota=9)
    row = run_pass(study, manager)
    finding = Finding.objects.get(consistency_pass=row)
    decisions.waive(finding=finding, member=manager, reason="Rare.", until=timezone.now() + timedelta(days=3))
    return study, row, finding


def test_a_waiver_that_runs_out_soon_is_told_before_a_release(waived):
    _, row, _ = waived
    assert findings.groups(findings.of_pass(row))[0].counts["lapsing"] == 1
    said = [one for one in checks.of_pass(row, counted=composition.of_pass(row)) if one.code == "waivers"]
    assert [(one.state, one.rule) for one in said] == [("noted", "class-quota")]
    assert "1 waiver will run out within 14 days" in said[0].sentence


def test_a_waiver_for_good_or_for_long_is_not_told(waived):
    _, row, finding = waived
    for until in (None, timezone.now() + timedelta(days=60)):
        Finding.objects.filter(pk=finding.pk).update(waived_until=until)
        assert findings.groups(findings.of_pass(row))[0].counts["lapsing"] == 0


def test_a_waiver_that_has_run_out_closes_the_gate_in_the_service_and_in_the_database(waived):
    study, row, finding = waived
    Finding.objects.filter(pk=finding.pk).update(waived_until=timezone.now() - timedelta(seconds=1))
    with pytest.raises(GateClosed):
        releases.freeze(study=study, consistency_pass=row)
    with pytest.raises(DatabaseError, match="1 open blockers"), transaction.atomic():
        Release.objects.create(
            study=study, number=1, consistency_pass=row, manifest_digest="0" * 64, stored_name="x", items_count=0,
            created_at=timezone.now(),
        )  # fmt: skip


def test_while_it_holds_the_gate_is_open(waived):
    study, row, _ = waived
    assert releases.freeze(study=study, consistency_pass=row).items_count == 6
