import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from learning import registry
from learning.models import HeadSettings
from learning.training import Candidate, TrainingConfiguration, TrainingData, train
from tests.learning.models.blobs import draw_blobs


def make_data(**changes: object) -> TrainingData:
    blobs = draw_blobs(count=200)
    data = TrainingData(
        features=blobs.features,
        labels=blobs.labels,
        groups=blobs.groups,
        class_codes=("neutrophil", "lymphocyte", "monocyte", "eosinophil"),
        revision_digest="ab" * 32,
        encoder_name="colour-texture",
        encoder_digest="cd" * 32,
    )
    return replace(data, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def candidate() -> Candidate:
    return train(data=make_data())


def test_report_names_classes_and_is_plain_json(candidate: Candidate) -> None:
    report = json.loads(json.dumps(candidate.report, allow_nan=False))
    assert report["items"] == 200
    assert report["members"] == 5
    assert sum(report["class_counts"].values()) == 200
    assert set(report["out_of_fold"]["recall"]) == set(candidate.class_codes)
    assert report["out_of_fold"]["accuracy"] > 0.7
    assert report["remarks"] == []


def test_report_remarks_on_what_makes_its_numbers_doubtful() -> None:
    data = make_data()
    few = train(data=make_data(groups=data.groups % 3, class_codes=(*data.class_codes, "basophil")))
    assert few.report["remarks"] == [
        "Only 3 cases, so the ensemble has 3 members, not 5.",
        "No example of basophil: the model cannot predict it.",
    ]
    one = train(data=make_data(groups=np.zeros_like(data.groups)))
    assert one.report["remarks"] == ["All items come from one case, so the out-of-fold numbers are too good."]


def test_configuration_digest_changes_with_any_setting() -> None:
    settings = [
        TrainingConfiguration(),
        TrainingConfiguration(seed=1),
        TrainingConfiguration(members=4),
        TrainingConfiguration(head=HeadSettings(penalty=0.5)),
    ]
    assert len({setting.digest for setting in settings}) == len(settings)


def test_training_twice_gives_one_model(tmp_path: Path, candidate: Candidate) -> None:
    first = registry.save(tmp_path, candidate)
    assert registry.save(tmp_path, train(data=make_data())) == first
    assert registry.save(tmp_path, train(data=make_data(), configuration=TrainingConfiguration(seed=4))) != first
    assert len([item for item in tmp_path.iterdir() if not item.name.startswith(".")]) == 2
    assert not list(tmp_path.glob(".*"))


def test_loaded_model_predicts_what_the_candidate_predicted(tmp_path: Path, candidate: Candidate) -> None:
    model = registry.load(tmp_path, registry.save(tmp_path, candidate, {"study": 7}))
    fresh = draw_blobs(count=50, seed=5).features
    np.testing.assert_array_equal(model.ensemble.mean_proba(fresh), candidate.ensemble.mean_proba(fresh))
    np.testing.assert_array_equal(model.ensemble.oof_proba, candidate.ensemble.oof_proba)
    assert model.class_codes == candidate.class_codes
    assert model.manifest["extra"] == {"study": 7}
    assert model.manifest["encoder"]["digest"] == "cd" * 32


def test_extra_of_the_manifest_is_part_of_the_digest(tmp_path: Path, candidate: Candidate) -> None:
    assert registry.save(tmp_path, candidate, {"study": 7}) != registry.save(tmp_path, candidate, {"study": 8})


@pytest.mark.parametrize("name", ["weights.safetensors", "manifest.json"])
def test_any_changed_byte_is_refused_with_the_file_named(tmp_path: Path, candidate: Candidate, name: str) -> None:
    digest = registry.save(tmp_path, candidate)
    path = tmp_path / digest / name
    whole = path.read_bytes()
    places = np.random.default_rng(0).integers(0, len(whole), 40)
    for place in (0, len(whole) - 1, *places.tolist()):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(registry.RegistryError, match=rf"{name}: the content is not what"):
            registry.load(tmp_path, digest)
    path.write_bytes(whole)
    registry.load(tmp_path, digest)


def test_model_under_a_foreign_digest_is_refused(tmp_path: Path, candidate: Candidate) -> None:
    digest = registry.save(tmp_path, candidate)
    (tmp_path / digest).rename(tmp_path / ("0" * 64))
    with pytest.raises(registry.RegistryError, match="not what the model's digest names"):
        registry.load(tmp_path, "0" * 64)


def test_missing_model_and_missing_file_are_named(tmp_path: Path, candidate: Candidate) -> None:
    with pytest.raises(registry.RegistryError, match="no model of this digest"):
        registry.load(tmp_path, "f" * 64)
    digest = registry.save(tmp_path, candidate)
    (tmp_path / digest / "weights.safetensors").unlink()
    with pytest.raises(registry.RegistryError, match=r"weights\.safetensors: cannot be read"):
        registry.load(tmp_path, digest)
