"""`study-cnn`: it learns, it repeats, it survives being killed, and what is left of it is an encoder."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from learning.features import Encoder
from learning.features.cnn import checkpoints, order
from learning.features.cnn.augment import AugmentSettings, augment
from learning.features.cnn.checkpoints import Checkpoint, CheckpointError
from learning.features.cnn.encoder import StudyCnn, WeightsError, load, save
from learning.features.cnn.loop import LoopSettings
from learning.features.cnn.network import NetworkSettings, prepare
from learning.features.cnn.pretraining import PretrainingSettings, correlate, pretrain
from learning.features.cnn.training import CnnSettings, train

SMALL = NetworkSettings(edge=24, widths=(8, 16), blocks=1, dimensions=16)
QUICK = CnnSettings(network=SMALL, shown=960, batch=16, loop=LoopSettings(threads=1, checkpoint_steps=7))


def draw(count: int = 96, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Discs and rings of any colour on a pale ground: colour alone tells nothing."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, count)
    rows, columns = np.indices((24, 24))
    pixels = np.full((count, 24, 24, 3), 225.0)
    for index, label in enumerate(labels):
        centre = 11.5 + generator.uniform(-2, 2, 2)
        radius = np.hypot(rows - centre[0], columns - centre[1])
        inside = (radius < 8) & ((radius > 4.5) if label else True)
        pixels[index][inside] = generator.uniform(40, 160, 3)
    return np.clip(pixels + generator.normal(0, 6, pixels.shape), 0, 255).astype(np.uint8), labels


def fit(settings: CnnSettings = QUICK, **more):
    pixels, labels = draw()
    return train(pixels=pixels, labels=labels, classes=2, settings=settings, **more)


def weights(network) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in network.state_dict().items()}


def assert_same(one, other) -> None:
    first, second = weights(one), weights(other)
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_it_tells_rings_from_discs_of_any_colour() -> None:
    pixels, labels = draw(200, seed=1)
    network = fit(replace(QUICK, shown=3000))
    with torch.inference_mode():
        said = network(prepare(pixels)).argmax(dim=1).numpy()
    assert (said == labels).mean() > 0.95


def test_the_same_data_and_settings_give_the_same_weights_and_another_seed_others() -> None:
    assert_same(fit(), fit())
    other = weights(fit(replace(QUICK, seed=1)))
    assert not np.array_equal(weights(fit())["head.weight"], other["head.weight"])


@pytest.mark.parametrize("killed_at", [1, 20, 41])
def test_a_training_that_was_killed_goes_on_to_the_same_weights(tmp_path: Path, killed_at: int) -> None:
    class Killed(Exception):
        pass

    heard: list[int] = []

    def stop(done: int, total: int) -> None:
        if done == killed_at:
            raise Killed

    path = tmp_path / "training.checkpoint"
    with pytest.raises(Killed):
        fit(checkpoint=path, report=stop)
    again = fit(checkpoint=path, report=lambda done, total: heard.append(done))
    assert heard[0] == killed_at // QUICK.loop.checkpoint_steps * QUICK.loop.checkpoint_steps + 1
    assert heard[-1] == 60
    assert_same(again, fit())


def test_a_checkpoint_of_other_labels_or_damaged_is_not_gone_on_from(tmp_path: Path) -> None:
    path = tmp_path / "training.checkpoint"
    fit(checkpoint=path)
    kept = path.read_bytes()
    pixels, labels = draw()
    heard: list[int] = []
    train(
        pixels=pixels,
        labels=1 - labels,
        classes=2,
        settings=QUICK,
        checkpoint=path,
        report=lambda done, total: heard.append(done),
    )
    assert heard[0] == 1
    path.write_bytes(kept[: len(kept) // 2])
    assert checkpoints.read(path, digest="any") is None


def test_a_full_disk_is_said_with_the_file_and_the_remedy_and_the_last_checkpoint_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "training.checkpoint"
    first = Checkpoint({"a": checkpoints.as_tensor(1.0)}, step=1, digest="d")
    checkpoints.write(path, first)

    def fail(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(
        CheckpointError, match=r"training\.checkpoint.*No space left.*Make room.*the model in use stays"
    ):
        checkpoints.write(path, replace(first, step=2))
    found = checkpoints.read(path, digest="d")
    assert found is not None and found.step == 1
    assert list(tmp_path.iterdir()) == [path]


def test_every_item_is_shown_once_before_any_comes_again() -> None:
    rows = np.concatenate([order.draw(25, step, batch=10, seed=(0,)) for step in range(5)])
    assert sorted(rows[:25]) == sorted(rows[25:]) == list(range(25))
    assert not np.array_equal(rows[:25], rows[25:])


def test_augmented_regions_keep_their_size_and_repeat_with_their_seed() -> None:
    pixels, _ = draw(8)
    one, same, other = (
        augment(pixels, generator=np.random.default_rng(seed), settings=AugmentSettings()) for seed in (0, 0, 1)
    )
    assert one.shape == (8, 1, 24, 24)
    assert torch.equal(one, same) and not torch.equal(one, other)


def test_light_and_stain_of_a_whole_region_tell_the_network_nothing() -> None:
    pixels, _ = draw(8)
    darker = (pixels.astype(float) * 0.6 + 12).astype(np.uint8)
    assert (prepare(darker) - prepare(pixels)).abs().max() < 0.2
    assert prepare(np.full((1, 24, 24, 3), 77, dtype=np.uint8)).abs().max() == 0


def test_what_is_left_is_an_encoder_that_a_quarter_turn_does_not_move(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    digest = save(path, fit(), SMALL)
    encoder = load(path, digest=digest)
    assert isinstance(encoder, StudyCnn) and isinstance(encoder, Encoder)
    pixels, labels = draw(64, seed=2)
    features = encoder.encode(pixels)
    assert features.shape == (64, 16) and features.dtype == np.float16 and np.isfinite(features).all()
    np.testing.assert_allclose(features, encoder.encode(np.rot90(pixels, 1, (1, 2)).copy()), atol=0.02)
    np.testing.assert_array_equal(features[10:20], encoder.encode(pixels[10:20]))
    assert load(path, digest=digest).digest == encoder.digest


def test_weights_in_which_a_byte_differs_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    digest = save(path, fit(), SMALL)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(WeightsError, match=r"weights\.safetensors: SHA-256 is .* Restore it"):
        load(path, digest=digest)


@pytest.mark.parametrize(
    ("pixels", "labels", "said"),
    [
        (np.zeros((4, 24, 24, 3), dtype=np.float32), np.array([0, 1, 0, 1]), "uint8 are wanted"),
        (np.zeros((4, 20, 20, 3), dtype=np.uint8), np.array([0, 1, 0, 1]), r"\(4, 24, 24, 3\)"),
        (np.zeros((4, 24, 24, 3), dtype=np.uint8), np.array([0, 1, 0]), "do not belong together"),
        (np.zeros((4, 24, 24, 3), dtype=np.uint8), np.array([0, 1, 2, 1]), r"labels in 0\.\.1"),
    ],
)
def test_rows_that_do_not_fit_are_refused(pixels: np.ndarray, labels: np.ndarray, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        train(pixels=pixels, labels=labels, classes=2, settings=QUICK)


class TestAStartWithoutLabels:
    SETTINGS = PretrainingSettings(
        network=SMALL, shown=640, batch=32, projected=32, loop=LoopSettings(threads=1, checkpoint_steps=5)
    )

    def test_views_that_agree_in_every_feature_and_in_nothing_else_cost_nothing(self) -> None:
        rows = torch.eye(4).repeat(8, 1) - torch.ones(4, 4).repeat(8, 1) / 4
        turned = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(0)))[0]
        independent = torch.linalg.svd(rows @ turned, full_matrices=False).U[:, :3]
        assert correlate(independent, independent, off_diagonal=1.0) < 0.02
        assert correlate(independent, independent.flip(0), off_diagonal=1.0) > 0.5
        same = independent[:, :1].repeat(1, 3)
        assert correlate(same, same, off_diagonal=1.0) > 5

    def test_it_repeats_and_goes_on_when_killed(self, tmp_path: Path) -> None:
        pixels, _ = draw()
        whole = pretrain(pixels=pixels, settings=self.SETTINGS)

        def stop(done: int, total: int) -> None:
            if done == 13:
                raise KeyboardInterrupt

        path = tmp_path / "start.checkpoint"
        with pytest.raises(KeyboardInterrupt):
            pretrain(pixels=pixels, settings=self.SETTINGS, checkpoint=path, report=stop)
        heard: list[int] = []
        again = pretrain(
            pixels=pixels,
            settings=self.SETTINGS,
            checkpoint=path,
            report=lambda done, total: heard.append(done),
        )
        assert heard[0] == 11
        assert_same(whole, again)

    def test_a_training_begins_with_its_layers_and_is_told_from_one_that_does_not(self, tmp_path: Path) -> None:
        pixels, _ = draw()
        begun = pretrain(pixels=pixels, settings=self.SETTINGS)
        path = tmp_path / "training.checkpoint"
        fit(checkpoint=path)
        heard: list[int] = []
        with_start = fit(start=begun, checkpoint=path, report=lambda done, total: heard.append(done))
        assert heard[0] == 1
        assert not np.array_equal(weights(with_start)["stem.0.weight"], weights(fit())["stem.0.weight"])
