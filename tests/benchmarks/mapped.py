"""Scores of ten million regions whose features are too many for memory: a mapped file of float16, read from the disk.

Decides the file and that none of it is in the page cache when the clock starts. Runs in a process of its own, whose
anonymous memory is measured: mapped pages are not in it, the kernel takes those back as it likes.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from learning.features import open_shard
from learning.query import score_blocks, scores
from tests.benchmarks.ranking import DIMENSIONS, make_ensemble
from tests.benchmarks.usage import Usage, read_fetched

REGIONS = 10_000_000
BOUND_SECONDS, BOUND_MEGABYTES = 40.0, 500.0
FOLDER = "/var/tmp"  # On a disk, where /tmp may be memory.
AT_ONCE = 65_536


def measure_mapped(*, regions: int = REGIONS) -> dict[str, Any]:
    """Wall and processor seconds from the mapped file to a file of scores, and the peak of anonymous memory.

    The baseline is reading the same file from the disk, block by block, and doing nothing with it. Skipped with a
    sentence where the disk is too small.
    """
    if shutil.disk_usage(FOLDER).free < 1.5 * _measure_file(regions):
        return {"skipped": f"skipped: {FOLDER} has no room for {_measure_file(regions) / 1e9:.1f} GB of features."}
    command = [sys.executable, "-m", "tests.benchmarks.mapped", f"--regions={regions}"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> None:
    """Write the file, measure, print what was found; the folder goes again."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--regions", type=int, default=REGIONS)
    regions = parser.parse_args().regions
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix="concord-mapped-") as folder:
        path = Path(folder) / "features.npy"
        _write(path, regions)
        print(json.dumps(_measure(path, Path(folder) / "scores.npz")))


def _measure_file(regions: int) -> int:
    return regions * DIMENSIONS * 2


def _write(path: Path, regions: int) -> None:
    """Rows of 512 random halves, block by block: the same numbers in each, but in other columns."""
    block = np.random.default_rng(0).standard_normal((min(AT_ONCE, regions), DIMENSIONS), dtype=np.float32)
    halves = block.astype(np.float16)
    with path.open("wb") as file:
        layout = {"descr": "<f2", "fortran_order": False, "shape": (regions, DIMENSIONS)}
        np.lib.format.write_array_header_1_0(file, layout)
        for number, start in enumerate(range(0, regions, AT_ONCE)):
            file.write(np.roll(halves, number, axis=1)[: regions - start].data)
        file.flush()
        os.fsync(file.fileno())


def _measure(path: Path, target: Path) -> dict[str, Any]:
    ensemble = make_ensemble(np.random.default_rng(1))
    _forget(path)
    fetched = read_fetched()
    with Usage() as reading:
        _read(path)
    read_alone = read_fetched() - fetched
    _forget(path)
    fetched = read_fetched()
    with Usage() as scoring:
        shard = open_shard(path)
        found = score_blocks(ensemble, shard)
        scores.save(target, found)
    from_disk = read_fetched() - fetched
    kept = scores.load(target)
    for start in (0, len(shard) // 2, len(shard) - 100):
        rows = slice(start, start + 100)
        expected = ensemble.mean_proba(shard[rows]).max(axis=1)
        np.testing.assert_allclose(kept.confidence[rows], expected, atol=2e-3)
    result = scoring.describe()
    assert result["peak_megabytes"] <= BOUND_MEGABYTES, result
    return result | {
        "regions": len(kept),
        "dimensions": DIMENSIONS,
        "file_megabytes": round(path.stat().st_size / 1e6),
        "megabytes_from_disk": round(from_disk),
        "bound_seconds": max(BOUND_SECONDS * len(kept) / REGIONS, 1.0),
        "bound_megabytes": BOUND_MEGABYTES,
        "baseline": "reading the file from the disk and doing nothing with it",
        "baseline_seconds": round(reading.seconds, 2),
        "baseline_megabytes_from_disk": round(read_alone),
        "ratio": round(scoring.seconds / reading.seconds, 2),
    }


def _forget(path: Path) -> None:
    """Have the kernel drop the file's pages from its cache; `megabytes_from_disk` says whether it did."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _read(path: Path) -> None:
    buffer = bytearray(8 << 20)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


if __name__ == "__main__":
    main()
