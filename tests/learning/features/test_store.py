"""Shards are written once, whole or not at all, and damage is noticed."""

import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from learning.features import ShardError, open_shard, store, write_shard


def make_rows(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(50, 8)).astype(np.float32)


def test_shard_comes_back_as_float16_mapped_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "slide.npy"
    digest = write_shard(path, make_rows())
    shard = open_shard(path, verify=True)
    assert isinstance(shard, np.memmap)
    assert not shard.flags.writeable
    np.testing.assert_array_equal(shard, make_rows().astype(np.float16))
    assert store.compute_digest(path) == digest


def test_same_content_again_gives_the_same_digest(tmp_path: Path) -> None:
    path = tmp_path / "slide.npy"
    assert write_shard(path, make_rows()) == write_shard(path, make_rows())
    assert sorted(item.name for item in tmp_path.iterdir()) == ["slide.npy", "slide.npy.sha256"]


def test_different_content_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "slide.npy"
    write_shard(path, make_rows())
    with pytest.raises(ShardError, match="written once"):
        write_shard(path, make_rows(seed=1))
    np.testing.assert_array_equal(open_shard(path, verify=True), make_rows().astype(np.float16))
    assert not list(tmp_path.glob(".*"))


def test_empty_shard_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "empty.npy"
    write_shard(path, np.empty((0, 8)))
    assert open_shard(path, verify=True).shape == (0, 8)


@pytest.mark.parametrize("rows", [np.full((2, 2), np.nan), np.full((2, 2), 1e9), np.zeros(3)])
def test_rows_that_float16_cannot_hold_are_refused(tmp_path: Path, rows: np.ndarray) -> None:
    with pytest.raises(ShardError, match="finite numbers"):
        write_shard(tmp_path / "bad.npy", rows)
    assert not list(tmp_path.iterdir())


def test_missing_shard_is_named(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match=r"gone\.npy: there is no such shard"):
        open_shard(tmp_path / "gone.npy")


def test_damaged_byte_is_noticed_on_verification(tmp_path: Path) -> None:
    path = tmp_path / "slide.npy"
    write_shard(path, make_rows())
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ShardError, match="was damaged or changed"):
        open_shard(path, verify=True)


def test_cut_off_shard_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "slide.npy"
    write_shard(path, make_rows())
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ShardError, match="not a readable shard"):
        open_shard(path)


def test_objects_in_a_shard_are_never_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "slide.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ShardError, match="not a readable shard"):
        open_shard(path)


def test_checksum_lost_in_a_crash_comes_back_on_rewrite(tmp_path: Path) -> None:
    path = tmp_path / "slide.npy"
    write_shard(path, make_rows())
    (tmp_path / "slide.npy.sha256").unlink()
    with pytest.raises(ShardError, match="says nothing"):
        open_shard(path, verify=True)
    write_shard(path, make_rows())
    open_shard(path, verify=True)


def write_and_tell(path: Path, seed: int) -> bool:
    try:
        write_shard(path, make_rows(seed))
    except ShardError:
        return False
    return True


def test_writers_at_once_leave_one_whole_shard(tmp_path: Path) -> None:
    path = tmp_path / "slide.npy"
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        won = pool.starmap(write_and_tell, [(path, seed % 3) for seed in range(12)])
    shard = open_shard(path, verify=True)
    winner = [seed for seed in range(3) if np.array_equal(shard, make_rows(seed).astype(np.float16))]
    assert len(winner) == 1
    assert [index % 3 for index, ok in enumerate(won) if ok] == [winner[0]] * 4
