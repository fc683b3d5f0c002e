"""A pass run as a job, on slides whose labels were spoiled on purpose: what models and pixels say reaches the rules."""

import pytest

from annotation.models import Region
from annotation.services import passes
from annotation.states import JobKind, JobState, Role
from tests import factories
from tests.annotation.consistency_studies import decide
from tests.workers import smears
from workers import base

pytestmark = pytest.mark.django_db
CODES = ("neutrophil", "lymphocyte", "monocyte")


@pytest.fixture
def study(settings, tmp_path):
    settings.STORE = tmp_path
    study = factories.study(codes=CODES, region_width=64, region_height=64, seed=7)
    for seed in range(4):
        smears.add_slide(study, seed=seed, audit_half="gate" if seed == 3 else "")
    base.run_ready(study)
    return study


def run_pass(study, manager):
    row = passes.start(study=study, member=manager)
    base.run_ready(study)
    job = study.jobs.get(kind=JobKind.CONSISTENCY_PASS, key=str(row.number))
    assert job.state == JobState.DONE, job.error
    row.refresh_from_db()
    return row


def test_spoiled_labels_are_doubted_the_audit_sample_is_not_and_a_second_pass_says_the_same(study):
    manager = factories.member(study, Role.MANAGER)
    regions = list(Region.objects.filter(study=study).select_related("known_truth").order_by("slide", "index"))
    spoiled = {region.public_id for region in regions[::12]}
    for region in regions:
        label = region.known_truth.label
        decide(region, manager, label=CODES[CODES.index(label) - 1] if region.public_id in spoiled else label)
    row = run_pass(study, manager)
    learnable = {region.public_id for region in regions if not region.audit_half}
    named = set(row.findings.filter(rule="label-errors").values_list("region__public_id", flat=True))
    assert named <= learnable
    assert len(named & spoiled) >= 0.8 * len(spoiled & learnable)
    assert len(named - spoiled) <= 3
    assert row.numbers["evidence"]["doubted"] == len(learnable)
    assert row.numbers["evidence"]["looked_at"] == len(regions)
    again = run_pass(study, manager)
    said = ["rule", "region", "counterpart", "subject", "message"]
    assert list(again.findings.order_by(*said).values_list(*said)) == list(
        row.findings.order_by(*said).values_list(*said)
    )


def test_a_pass_without_features_still_runs(study):
    from annotation.models import FeatureShard

    manager = factories.member(study, Role.MANAGER)
    for region in Region.objects.filter(study=study)[:5]:
        decide(region, manager, label="monocyte")
    FeatureShard.objects.filter(slide__study=study).delete()
    row = run_pass(study, manager)
    assert row.numbers["evidence"] == row.numbers["evidence"] | {"doubted": 0, "without_features": 5, "looked_at": 0}
