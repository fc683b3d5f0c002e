"""How fast the screens answer with a million regions in the study: medians over whole requests, queries, scans.

Decides what is asked and how often; refuses to know how a screen reads. Runs in a process of its own, as pytest holds
Django's connections. CONCORD_BENCH_DATABASE names a database to keep for the next run.
"""

import json
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import django

from tests.benchmarks import apart, database

ROUNDS = 30
BOUND_SECONDS = 0.3
GALLERY_CELLS = 40

Request = Callable[[], Any]


def measure_screens() -> dict[str, Any]:
    """Milliseconds of each request (the first, median, p95) and its queries. `seconds` is the slowest median.

    The baseline is a request that reads one row of the person. No request may read regions without an index.
    """
    return apart.measure("tests.benchmarks.screens")


def main() -> None:
    """Fill a database where none is kept, measure, and print what was found."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.benchmarks import million

    name = os.environ.get(database.KEPT, database.DEFAULT)
    try:
        print(json.dumps(_measure(million.open_database(name))))
    finally:
        if database.KEPT not in os.environ:
            database.drop(name)


def _measure(made: Any) -> dict[str, Any]:
    asked, after = _requests(made)
    measured = {name: _ask(request, after=after.get(name)) for name, request in asked.items()}
    baseline = measured.pop("baseline")["median_ms"]
    for found in measured.values():
        found["ratio"] = round(found["median_ms"] / baseline, 1)
    slowest = max(measured, key=lambda name: measured[name]["median_ms"])
    return {
        "seconds": measured[slowest]["median_ms"] / 1000,
        "bound_seconds": BOUND_SECONDS,
        "slowest": slowest,
        "baseline": "a person's own preferences",
        "baseline_seconds": baseline / 1000,
        "regions": made.study.regions.count(),
        "requests": measured,
    }


def _requests(made: Any) -> tuple[dict[str, Request], dict[str, Request]]:
    """What is asked, by name; and what puts things back before the same is asked again."""
    from annotation.selectors import dashboard

    manager, annotator = _client(made.manager), _client(made.annotator)
    api, screens = (f"/{root}/studies/{made.study.slug}/" for root in ("api", "admin"))
    asked: dict[str, Request] = {"baseline": _get(annotator, "/api/me/preferences/")}
    for name in ("queue", "annotate", "gallery", "answers"):
        asked[f"{name} page"] = _get(annotator, f"{screens}{name}/")
    asked["queue"] = _get(annotator, f"{api}queue/")
    asked["dashboard page"] = _get(manager, screens)
    for panel in dashboard.PANELS:
        asked[f"dashboard {panel}"] = _get(manager, f"{api}dashboard/{panel}/")
    asked["slides page"] = _get(manager, f"{screens}slides/")
    asked["slides page, least settled first"] = _get(manager, f"{screens}slides/?sort=settled")
    asked["slide page"] = _get(manager, f"{screens}slides/{made.largest.public_id}/")
    for slide in (made.ordinary, made.largest):
        asked[f"overlay of {slide.region_count} regions"] = _get(manager, f"{api}slides/{slide.public_id}/overlay/")
    claimed: list[str] = []
    asked["claim one"] = _claim(annotator, f"{api}queue/claim/", 1, claimed)
    asked["claim a gallery"] = _claim(annotator, f"{api}queue/claim/", GALLERY_CELLS, claimed)
    give_back = _give_back(annotator, f"{api}queue/release/", claimed)
    return asked, {"claim one": give_back, "claim a gallery": give_back}


def _client(member: Any) -> Any:
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(member.user)
    return client


def _get(client: Any, address: str) -> Request:
    return lambda: client.get(address)


def _claim(client: Any, address: str, count: int, claimed: list[str]) -> Request:
    def claim() -> Any:
        answer = client.post(address, {"count": count}, content_type="application/json")
        claimed[:] = [lease["token"] for lease in answer.json()["leases"]]
        assert claimed, "Nothing was left to claim."
        return answer

    return claim


def _give_back(client: Any, address: str, claimed: list[str]) -> Request:
    return lambda: client.post(address, {"tokens": claimed}, content_type="application/json")


def _ask(request: Request, *, after: Request | None) -> dict[str, Any]:
    """Times of a request that is asked again and again; the first, which fills caches, says queries."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    before, started = _unindexed_rows(), time.perf_counter()
    with CaptureQueriesContext(connection) as captured:
        answer = request()
    first = 1000 * (time.perf_counter() - started)
    assert answer.status_code == 200, (answer.status_code, answer.content[:500])
    unindexed = _unindexed_rows() - before
    assert not unindexed, f"{unindexed} regions were read without an index: {captured.captured_queries}"
    found = {"first_ms": round(first, 1), "queries": len(captured)}
    times = []
    for _ in range(ROUNDS):
        if after:
            after()
        started = time.perf_counter()
        answer = request()
        times.append(1000 * (time.perf_counter() - started))
    if after:
        after()
    p95 = statistics.quantiles(times, n=20)[-1]
    size = {"kilobytes": round(len(answer.content) / 1000)}
    return {"median_ms": round(statistics.median(times), 1), "p95_ms": round(p95, 1)} | found | size


def _unindexed_rows() -> int:
    """Rows of regions that sequential scans have read so far."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'annotation_region'")
        return int(cursor.fetchone()[0])


if __name__ == "__main__":
    main()
