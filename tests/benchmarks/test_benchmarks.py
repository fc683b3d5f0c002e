"""`make bench`: every benchmark, its result written down, its bound held."""

import os
from pathlib import Path

import pytest

from tests.benchmarks.catalogue import BENCHMARKS
from tests.benchmarks.report import record

OUTPUT = Path(os.environ.get("CONCORD_BENCH_OUTPUT", "var/bench.json"))


@pytest.mark.bench
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", sorted(BENCHMARKS))
def test_benchmark_stays_within_its_bound(name: str) -> None:
    result = BENCHMARKS[name]()
    record(name, result, path=OUTPUT)
    assert result
    if "bound_seconds" in result:
        assert result["seconds"] <= result["bound_seconds"], f"{name}: {result}"
    if "bound_share" in result:
        assert result["share"] >= result["bound_share"], f"{name}: {result}"
