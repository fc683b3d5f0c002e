from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from learning.features import open_shard, write_shard
from learning.models import Ensemble, train_ensemble
from learning.query import Scores, ScoresError, score_blocks, scores
from learning.query.scoring import find_top_two, widen
from tests.learning.models.blobs import draw_blobs
from tests.learning.query.pools import train_small


def train_with_rare_class() -> Ensemble:
    blobs = draw_blobs(count=120)
    labels, groups = blobs.labels.copy(), blobs.groups.copy()
    labels[:6], groups[:6] = 4, 77
    return train_ensemble(features=blobs.features, labels=labels, groups=groups, classes=6, seed=0)


@pytest.mark.parametrize("train", [train_small, train_with_rare_class])
def test_scores_are_those_of_the_ensemble_computed_plainly(train) -> None:  # type: ignore[no-untyped-def]
    ensemble = train()
    features = draw_blobs(count=333, seed=4).features
    found = score_blocks(ensemble, features, block=50)
    members = ensemble.predict_proba(features).astype(np.float64)
    mean = members.mean(axis=0)
    order = np.argsort(-mean, axis=1)
    top = np.take_along_axis(mean, order, axis=1)
    plogp = lambda p: -(p * np.log(np.maximum(p, 1e-30))).sum(axis=-1)  # noqa: E731 - one formula, used twice
    np.testing.assert_allclose(found.margin, top[:, 0] - top[:, 1], atol=2e-3)
    np.testing.assert_allclose(found.confidence, top[:, 0], atol=2e-3)
    clear = top[:, 0] - top[:, 1] > 1e-3
    np.testing.assert_array_equal(found.top1[clear], order[clear, 0])
    clear &= top[:, 1] - top[:, 2] > 1e-3
    np.testing.assert_array_equal(found.top2[clear], order[clear, 1])
    np.testing.assert_allclose(found.entropy, plogp(mean), atol=3e-3)
    np.testing.assert_allclose(found.mean_entropy, plogp(members).mean(axis=0), atol=3e-3)
    np.testing.assert_allclose(found.mutual_information, plogp(mean) - plogp(members).mean(axis=0), atol=3e-3)


def test_block_size_does_not_change_the_scores() -> None:
    features = draw_blobs(count=200, seed=4).features
    one, other = score_blocks(train_small(), features, block=7), score_blocks(train_small(), features, block=500)
    np.testing.assert_allclose(one.margin, other.margin, atol=1e-3)
    np.testing.assert_array_equal(one.top1, other.top1)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("step", [1, 2])
def test_any_width_of_number_and_any_stride_scores_alike(kind: type[np.floating], step: int) -> None:
    # More rows than are widened at a time, and not a multiple of them.
    features = draw_blobs(count=1300, seed=4).features.astype(np.float16)
    expected = score_blocks(train_small(), features[::step].astype(np.float32))
    found = score_blocks(train_small(), features.astype(kind)[::step])
    np.testing.assert_allclose(found.margin, expected.margin, atol=1e-3)
    np.testing.assert_array_equal(found.top1, expected.top1)


def test_features_are_left_as_they_were() -> None:
    features = draw_blobs(count=300, seed=4).features.astype(np.float32)
    before = features.copy()
    score_blocks(train_small(), features)
    np.testing.assert_array_equal(features, before)


def test_mapped_shard_scores_like_the_array(tmp_path: Path) -> None:
    features = draw_blobs(count=100, seed=4).features
    write_shard(tmp_path / "slide.npy", features)
    mapped = score_blocks(train_small(), open_shard(tmp_path / "slide.npy"))
    np.testing.assert_array_equal(mapped.margin, score_blocks(train_small(), features).margin)


def test_pool_without_regions_has_no_scores() -> None:
    assert len(score_blocks(train_small(), np.empty((0, 16), dtype=np.float16))) == 0


def test_every_finite_half_is_widened_exactly() -> None:
    halves = np.arange(65536, dtype=np.uint16).view(np.float16)
    finite = halves[np.isfinite(halves)].reshape(-1, 2)
    out = np.empty(finite.shape, dtype=np.float32)
    np.testing.assert_array_equal(widen(finite, out=out), finite.astype(np.float32))


def test_top_two_agree_with_sorting() -> None:
    proba = np.random.default_rng(0).dirichlet(np.ones(18), 500).astype(np.float32).T
    best, runner, first, second = find_top_two(np.ascontiguousarray(proba))
    order = np.argsort(-proba, axis=0)
    np.testing.assert_array_equal(first, order[0])
    np.testing.assert_array_equal(second, order[1])
    np.testing.assert_allclose(best, np.sort(proba, axis=0)[-1], rtol=1e-4)
    np.testing.assert_allclose(runner, np.sort(proba, axis=0)[-2], rtol=1e-4)


def make_scores() -> Scores:
    return score_blocks(train_small(), draw_blobs(count=60, seed=4).features)


def test_scores_survive_the_disk_and_are_twelve_bytes_a_region(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "scores.npz"
    scores.save(path, make_scores())
    scores.save(path, make_scores())
    loaded = scores.load(path)
    for field in fields(Scores):
        np.testing.assert_array_equal(getattr(loaded, field.name), getattr(make_scores(), field.name))
    assert sum(getattr(loaded, field.name).itemsize for field in fields(Scores)) == 12
    assert [item.name for item in path.parent.iterdir()] == ["scores.npz"]


def test_merged_scores_keep_the_order_of_slides() -> None:
    part = make_scores()
    both = scores.merge([part, replace(part, margin=part.margin + 1)])
    assert len(both) == 120
    np.testing.assert_array_equal(both.margin[60:], part.margin + 1)
    assert len(scores.merge([])) == 0


def test_cut_off_or_missing_scores_are_refused_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "scores.npz"
    with pytest.raises(ScoresError, match="cannot be read as scores"):
        scores.load(path)
    scores.save(path, make_scores())
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ScoresError, match="the slide is scored again"):
        scores.load(path)
