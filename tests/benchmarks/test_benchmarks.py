"""`make bench`: every benchmark, its result written down, its bound held."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.catalogue import BENCHMARKS
from tests.benchmarks.report import record

OUTPUT = Path(os.environ.get("CONCORD_BENCH_OUTPUT", "var/bench.json"))


@pytest.mark.bench
@pytest.mark.timeout(4 * 3600)  # races with all rivals take more than an hour of two cores
@pytest.mark.parametrize("name", sorted(BENCHMARKS))
def test_benchmark_stays_within_its_bound(name: str) -> None:
    result = BENCHMARKS[name]()
    record(name, result, path=OUTPUT)
    assert result
    if "bound_seconds" in result:
        assert result["seconds"] <= result["bound_seconds"], f"{name}: {result}"
    if "bound_share" in result:
        assert result["share"] >= result["bound_share"], f"{name}: {result}"
    missed = list(_find_missed(result, name))
    assert not missed, f"Bounds of {', '.join(missed)} are missed: {result}"


def _find_missed(found: Any, where: str) -> Iterator[str]:
    """Where in a result it says that it does not hold."""
    if isinstance(found, dict):
        if found.get("holds") is False:
            yield where
        for key, value in found.items():
            yield from _find_missed(value, f"{where}, {key}")
