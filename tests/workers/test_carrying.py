"""A release that carries its model: judged at the pass on the report half, the same bytes each time, ready for use."""

import json
import shutil
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from annotation.errors import Conflict
from annotation.models import ModelVersion, Region
from annotation.releasing import files
from annotation.releasing.verify import verify
from annotation.selectors import passview
from annotation.services import loop, passes, releases
from annotation.states import ModelState, Role
from learning import registry
from tests import factories
from tests.annotation.consistency_studies import answer_all, decide
from tests.workers import smears
from workers import base, carrying

pytestmark = pytest.mark.django_db
CODES = tuple(smears.COLOURS)
POLICY = {
    "release_model": True, "gate_min_items": 20, "planted_check_rate": 0.0, "random_share": 0.0,
    "first_model_revisions": 10_000, "target_confidence": 0.6,
}  # fmt: skip


@pytest.fixture
def study(settings, tmp_path):
    """Three slides to learn from, five of the report half; none of it answered."""
    settings.STORE = tmp_path
    study = factories.study(codes=CODES, region_width=64, region_height=64, seed=7, policy=POLICY)
    for seed in range(3):
        smears.add_slide(study, seed=seed, columns=4, rows=3)
    for seed in range(3, 8):
        smears.add_slide(study, seed=seed, columns=3, rows=2, audit_half="report")
    base.run_ready(study)
    study.picks.all().delete()
    Region.objects.filter(study=study).update(state="pool")
    return study


def settle(study, *, wrong_of_last=0):
    """The manager decides what is learned from; two people answer the report half, the second wrong in so many."""
    manager = factories.member(study, Role.MANAGER)
    for region in Region.objects.filter(study=study, audit_half="").select_related("known_truth"):
        decide(region, manager, label=region.known_truth.label)
    report = list(Region.objects.filter(study=study, audit_half="report").order_by("public_id"))
    for region in report:
        factories.pick(region, slots=2, overlap=2)
    people = [factories.member(study), factories.member(study)]
    answer_all(people[0])
    answer_all(people[1], wrong=frozenset(region.public_id for region in report[:wrong_of_last]))
    for region in Region.objects.filter(study=study, audit_half="report", state="adjudication"):
        decide(region, manager, label=region.known_truth.label)
    return manager, people


def train(study):
    loop.train_now(study=study, trigger="test")
    base.run_ready(study)
    model = ModelVersion.objects.get(study=study)
    assert model.state == ModelState.ACTIVE, model.gate_reasons
    return model


def run_pass(study, manager):
    row = passes.start(study=study, member=manager)
    base.run_ready(study)
    row.refresh_from_db()
    return row


def cut(study, row, manager):
    """The release of a pass whose findings are all waived: what they say is not the matter here."""
    row.findings.update(state="waived", decided_by=manager, reason="Not the matter here.")
    return releases.freeze(study=study, consistency_pass=row, member=manager)


def read(study, manager):
    return passview.read(passes.start(study=study, member=manager))


def test_the_model_is_released_beside_the_data_can_be_used_from_there_and_cannot_be_exchanged(study, monkeypatch):
    manager, people = settle(study, wrong_of_last=9)
    model = train(study)
    row = run_pass(study, manager)
    card = row.numbers["model"]
    assert card["accepted"] and card["items"] == 30 and card["cases"] == 5, card["reason"]
    assert card["worst"]["name"] == people[1].pseudonym and card["worst"]["person"][0] == pytest.approx(21 / 30)
    where = releases.place(cut(study, row, manager))
    assert verify(where).problems == []
    sheet = (where / "datasheet.md").read_text()
    assert "### The model that comes with it" in sheet and card["reason"].replace("*", "") in sheet
    assert f"worst person ({people[1].pseudonym}, 30 regions)" in sheet
    assert "`model/`" in (where / "README.md").read_text()

    with monkeypatch.context() as at:
        at.chdir(where)
        known = {"pixels": np.full((2, 64, 64, 3), 200, dtype=np.uint8)}
        exec(sheet.split("```python\n")[1].split("\n```")[0], known)  # what the page tells people to run
    assert known["proba"].shape == (2, len(CODES)) and known["model"].class_codes == CODES

    before = {name: path.read_bytes() for name, path in files.listed(where).items()}
    assert f"model/{model.digest}/weights.safetensors" in before
    shutil.rmtree(where)
    releases.freeze(study=study, consistency_pass=row)
    assert {name: path.read_bytes() for name, path in files.listed(where).items()} == before

    forge(where, model.digest)
    shutil.rmtree(where)
    weights = releases.root().parent / "models" / model.digest / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    with pytest.raises(Conflict, match="weights.safetensors of model 1 is gone or damaged"):
        releases.freeze(study=study, consistency_pass=row)
    assert not list(releases.root().iterdir())


def forge(where, digest):
    """Exchange the weights, then leave them out; each time also with all digests made anew."""
    weights = where / "model" / digest / "weights.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert any("weights.safetensors was altered" in one for one in verify(where).problems)
    resign(where)
    assert any("is not of the model that the pass judged" in one for one in verify(where).problems)
    weights.unlink()
    resign(where)
    assert any("of the model is missing" in one for one in verify(where).problems)


@pytest.mark.slow
def test_a_model_that_is_not_accepted_stays_out_and_the_datasheet_says_why(study):
    manager, _ = settle(study)
    reason = "No model of the study is active."
    assert carrying.describe(read(study, manager), study=study) == {"accepted": False, "reason": reason}
    model = train(study)
    study.policy_values = {**POLICY, "gate_min_items": 100}
    study.save(update_fields=["policy_values"])
    few = carrying.describe(read(study, manager), study=study)
    assert not few["accepted"] and few["reason"].startswith("Only 30 regions in 5 cases of the audit's report half")

    study.policy_values = POLICY
    study.save(update_fields=["policy_values"])
    stored = registry.load(releases.root().parent / "models", model.digest)
    stored.ensemble.weights[:] = 0  # people who are always right, beside a model that has lost its mind
    with mock.patch("workers.carrying.registry.load", return_value=stored):
        row = run_pass(study, manager)
    card = row.numbers["model"]
    assert not card["accepted"] and card["reason"].endswith("it is worse, so it is not released.")
    where = releases.place(cut(study, row, manager))
    assert verify(where).problems == [] and not (where / "model").exists()
    assert f"No model is part of this release. {card['reason']}" in (where / "datasheet.md").read_text()


def resign(where: Path) -> None:
    """Manifest and checksums made anew over what lies there: a careful forger."""
    manifest = json.loads((where / files.MANIFEST).read_text())
    held = {name: path for name, path in files.listed(where).items() if name not in (files.MANIFEST, files.CHECKSUMS)}
    manifest["files"] = {
        name: {"sha256": files.hash_file(path), "size_bytes": path.stat().st_size, "rows": None}
        for name, path in held.items()
    }
    (where / files.MANIFEST).write_text(json.dumps(manifest))
    held[files.MANIFEST] = where / files.MANIFEST
    (where / files.CHECKSUMS).write_text(
        "".join(f"{files.hash_file(path)}  {name}\n" for name, path in sorted(held.items()))
    )
