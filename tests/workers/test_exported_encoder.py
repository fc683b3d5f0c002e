"""A study with an exported encoder: pinned by the command, checked when the policy is stored and when a job runs."""

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from annotation import encoders, policy_words, store
from annotation.errors import BadInput
from annotation.models import FeatureShard, Job, ModelVersion
from annotation.policy import Policy
from annotation.services import jobs, studies
from annotation.states import JobKind, JobState
from learning.features import open_shard
from learning.slides.reader import open_slide
from learning.slides.tiles import read_patch
from tests import exported, factories
from tests.exported import ask_torch
from tests.workers import smears
from tests.workers.test_loop_inline import CODES, POLICY, settle_open_picks
from workers import base, files

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_store(settings, tmp_path):
    settings.STORE = tmp_path / "store"


def pin(folder, capsys, content=None, *, file="small.onnx", **options) -> str:
    """The name that the command prints for study.toml."""
    (folder / file).write_bytes(content or exported.network())
    call_command("pin_encoder", str(folder / file), **options)
    return capsys.readouterr().out.strip().splitlines()[-1].removeprefix('encoder = "').removesuffix('"')


def test_the_command_prints_what_a_policy_takes_and_what_the_network_does(tmp_path, capsys):
    (tmp_path / "small.onnx").write_bytes(exported.network(gives="both"))
    call_command("pin_encoder", str(tmp_path / "small.onnx"), mean="0.5,0.5,0.5", output="rows")
    said = capsys.readouterr().out
    assert "small.onnx: regions are shown as 32 x 32 px and give 12 numbers each." in said
    assert "mean 0.5, 0.5, 0.5 and deviation 0.229, 0.224, 0.225" in said
    name = said.strip().splitlines()[-1].split('"')[1]
    assert Policy.accept({"encoder": name}).encoder == name
    assert encoders.offered() == [name]
    described = next(one for one in policy_words.described() if one["key"] == "encoder")
    assert (described["kind"], described["choices"][-1]) == ("choice", name)
    assert sorted(path.name for path in (store.root() / "encoders").iterdir()) == ["small.onnx", "small.onnx.sha256"]


def test_the_command_stores_nothing_that_is_not_fit_and_replaces_nothing(tmp_path, capsys):
    for content, said in ((b"no model", "'small.onnx' can't be opened"), (exported.network(gives="both"), "--output")):
        with pytest.raises(CommandError, match=said):
            pin(tmp_path, capsys, content)
    assert not (store.root() / "encoders").exists()
    first = pin(tmp_path, capsys)
    assert pin(tmp_path, capsys) == first
    with pytest.raises(CommandError, match="another file 'small.onnx', which studies may have pinned"):
        pin(tmp_path, capsys, exported.network(seed=1))
    assert pin(tmp_path, capsys, exported.network(seed=1), name="other.onnx").startswith("onnx:other.onnx@")
    with pytest.raises(CommandError, match="'../small.onnx' can't be the name .* Give another with --name"):
        pin(tmp_path, capsys, name="../small.onnx")
    with pytest.raises(CommandError, match=r"none\.onnx can't be read: No such file"):
        call_command("pin_encoder", str(tmp_path / "none.onnx"))


PIN = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("onnx:small.onnx", "'onnx:small.onnx' lacks the SHA-256 .*pin_encoder"),
        ("onnx:small.onnx@12", "'12' is no SHA-256"),
        (f"onnx:../small.onnx@{PIN}", "'../small.onnx' can't be the name .* without folders"),
        (f"onnx:/small.onnx@{PIN}", "'/small.onnx' can't be the name"),
        (f"onnx:@{PIN}", "'' can't be the name"),
        (f"onnx:small.pt@{PIN}", "'small.pt' can't be the name .* ends in .onnx"),
        (f"onnx:none.onnx@{PIN}", "no file 'none.onnx' in the store's folder 'encoders': put it there"),
        (f"onnx:small.onnx@{PIN}", f"'small.onnx' .* has SHA-256 .* not {PIN}: restore the file, or pin"),
        (f"onnx:link.onnx@{PIN}", "'link.onnx' .* is a link: put the file itself"),
    ],
)
def test_a_policy_is_not_stored_with_an_encoder_that_is_not_there(tmp_path, capsys, name, said):
    study = factories.study()
    pin(tmp_path, capsys)
    (store.root() / "encoders" / "link.onnx").symlink_to(tmp_path / "small.onnx")
    with pytest.raises(BadInput, match=said):
        studies.update_policy(study=study, values={"encoder": name})
    study.refresh_from_db()
    assert "encoder" not in study.policy_values


def test_the_whole_loop_runs_on_an_exported_encoder(tmp_path, capsys):
    name = pin(tmp_path, capsys)
    study = factories.study(codes=CODES, policy={**POLICY, "encoder": name}, region_width=64, region_height=64, seed=7)
    for seed in range(6):
        smears.add_slide(study, seed=seed, audit_half={4: "gate", 5: "report"}.get(seed, ""))
    base.run_ready(study)
    settle_open_picks(study)
    base.run_ready(study)
    assert not Job.objects.filter(study=study).exclude(state=JobState.DONE).exists()
    model = ModelVersion.objects.get(study=study)
    assert model.encoder == name
    shard = FeatureShard.objects.select_related("slide").filter(encoder_digest=model.encoder_digest).first()
    rectangles = shard.slide.regions.order_by("index").values_list("x", "y", "width", "height")
    with open_slide(store.slide_path(shard.slide)) as reader:
        shown = [read_patch(reader, x=x, y=y, width=w, height=h, edge=32) for x, y, w, h in rectangles]
    features = open_shard(files.path_of(shard.stored_name), verify=True)
    np.testing.assert_allclose(features, ask_torch(np.stack(shown)), rtol=1e-3, atol=1e-3)


def test_a_study_goes_over_to_an_exported_encoder_and_its_slides_are_read_again(tmp_path, capsys):
    study = factories.study(codes=CODES, policy=POLICY, region_width=64, region_height=64)
    for seed in range(6):
        smears.add_slide(study, seed=seed, audit_half={4: "gate", 5: "report"}.get(seed, ""))
    base.run_ready(study)
    studies.update_policy(study=study, values={"encoder": pin(tmp_path, capsys)})
    study.refresh_from_db()
    settle_open_picks(study)
    base.run_ready(study)
    assert ModelVersion.objects.get(study=study).encoder == study.policy.encoder
    assert set(FeatureShard.objects.filter(slide__study=study).values_list("encoder_digest", flat=True).distinct()) > {
        ModelVersion.objects.get(study=study).encoder_digest
    }


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.unlink(), "'small.onnx' can't be read from the store's folder 'encoders'. Put the file"),
        (lambda path: path.write_bytes(exported.network(seed=1)), "'small.onnx' has SHA-256 "),
        (lambda path: path.write_bytes(path.read_bytes()[:300]), "'small.onnx' has SHA-256 "),
    ],
)
def test_a_job_fails_once_with_a_sentence_and_goes_on_when_the_file_is_back(tmp_path, capsys, spoil, said):
    name = pin(tmp_path, capsys)
    study = factories.study(state="draft", policy={"encoder": name}, region_width=64, region_height=64)
    smears.add_slide(study, seed=1)
    path = encoders.parse(name).path
    whole = path.read_bytes()
    spoil(path)
    base.run_ready(study)
    job = Job.objects.get(study=study, kind=JobKind.EMBED_SLIDE)
    assert (job.state, job.attempt) == (JobState.FAILED, 1)
    assert said in job.error and encoders.parse(name).sha256 in job.error
    assert str(tmp_path) not in job.error
    path.write_bytes(whole)
    jobs.retry(job=job)
    base.run_ready(study)
    job.refresh_from_db()
    assert (job.state, job.error, FeatureShard.objects.filter(slide__study=study).count()) == (JobState.DONE, "", 1)
