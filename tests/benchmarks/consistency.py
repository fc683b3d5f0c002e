"""How long the screens of consistency and release take over 200,000 items with 20,000 findings.

Decides what is asked and how often; refuses to know how the rows are made. Runs in a process of its own, as pytest
holds Django's connections. CONCORD_BENCH_DATASET names a database to keep for the next run.
"""

import json
import os
import statistics
import time
from typing import Any

from tests.benchmarks import apart

KEPT = "CONCORD_BENCH_DATASET"
DEFAULT = "bench_dataset"
ROUNDS = 3
BULK = 5000
BOUND_MS = 300.0
FILTERS = {
    "all": {},
    "class": {"label": "neutrophil"},
    "rare class": {"label": "erythroblast"},
    "domain": {"domain": "north / A / MGG"},
    "rule": {"rule": "identical-regions"},
    "state": {"state": "open"},
    "severity": {"severity": "blocker"},
    "blocks": {"blocks": "true"},
    "new": {"since": "new"},
    "kept": {"since": "kept"},
    "gone": {"since": "gone"},
    "every": {"label": "neutrophil", "domain": "north / A / MGG", "state": "open", "since": "new", "blocks": "true"},
}


def measure_consistency() -> dict[str, Any]:
    """Medians in milliseconds of what is read, seconds of what is written; `slow` names reads above the bound."""
    return apart.measure("tests.benchmarks.consistency")


def main() -> None:
    """Fill a database where none is kept, measure, and print what was found."""
    with apart.own_database(os.environ.get(KEPT, DEFAULT), keep=KEPT in os.environ) as is_new:
        from tests.benchmarks import dataset

        print(json.dumps(_measure(dataset.fill() if is_new else dataset.find())))


def _measure(made: Any) -> dict[str, Any]:
    from rest_framework.test import APIClient

    client = APIClient(SERVER_NAME="localhost")
    client.force_login(made.manager.user)
    reads = {name: _ask(client, address, query) for name, (address, query) in _addresses(client, made).items()}
    slow = sorted(name for name, taken in reads.items() if taken > BOUND_MS)
    writes = _decide(client, made)
    return {"reads_ms": reads, "writes_seconds": writes, "bound_ms": BOUND_MS, "slow": slow}


def _addresses(client: Any, made: Any) -> dict[str, tuple[str, dict[str, Any]]]:
    api, screens = (f"/{root}/studies/{made.study.slug}/" for root in ("api", "admin"))
    newest = f"{api}passes/{made.newest.number}/"
    asked: dict[str, tuple[str, dict[str, Any]]] = {
        "passes page": (f"{screens}passes/", {}),
        "pass page": (f"{screens}passes/{made.newest.number}/", {}),
        "releases page": (f"{screens}releases/", {}),
        "release page": (f"{screens}releases/{made.release.number}/", {}),
        "preview": (f"{newest}preview/", {}),
        "changes": (f"{newest}changes/", {"kind": "added", "size": 100}),
        "late changes": (f"{newest}changes/", {"kind": "added", "size": 100, "start": 100_000}),
        "changes of the release": (f"{api}releases/{made.release.number}/changes/", {}),
    }
    for name, query in FILTERS.items():
        asked[f"summary, {name}"] = (f"{newest}summary/", query)
        asked[f"findings, {name}"] = (f"{newest}findings/", {**query, "size": 24})
        if late := _late(made, query):
            asked[f"late findings, {name}"] = (f"{newest}findings/", {**query, "size": 24, "after": late})
    return asked


def _late(made: Any, query: dict[str, Any]) -> int | None:
    """The key of a finding nine tenths down the list."""
    from annotation.selectors import findings

    keys = list(findings.select(made.newest, **query).order_by("pk").values_list("pk", flat=True))
    return keys[len(keys) * 9 // 10] if len(keys) > 240 else None


def _ask(client: Any, address: str, query: dict[str, Any]) -> float:
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        response = client.get(address, query)
        assert response.status_code == 200, (address, query, response.content[:300])
        taken.append(1000 * (time.perf_counter() - start))
    return round(statistics.median(taken), 1)


def _decide(client: Any, made: Any) -> dict[str, float]:
    """Waive 5,000 at once and take it back, so that a kept database stays as it is."""
    from annotation.models import Finding

    ids = list(Finding.objects.filter(consistency_pass=made.newest, state="open").values_list("pk", flat=True)[:BULK])
    address = f"/api/studies/{made.study.slug}/passes/{made.newest.number}/findings/decide/"
    taken = {}
    for decision in ("waive", "reopen"):
        start = time.perf_counter()
        response = client.post(address, {"decision": decision, "reason": "Known.", "ids": ids}, "json")
        assert response.status_code == 200, response.content[:300]
        taken[f"{decision} {len(ids)}"] = round(time.perf_counter() - start, 2)
    return taken


if __name__ == "__main__":
    main()
