"""What as-of views, an export and its check take at 200,000 entries.

Decides the size and what is asked; refuses to know how anything is read. The baseline is folding the ledger itself.
"""

import json
import os
import time
import tracemalloc
from typing import Any

from tests.benchmarks import apart

ENTRIES = int(os.environ.get("CONCORD_BENCH_ENTRIES") or 200_000)
REGIONS = ENTRIES * 3 // 10


def measure_moments() -> dict[str, Any]:
    """Seconds and megabytes; `fold` is the baseline of `study`."""
    return apart.measure("tests.benchmarks.moments")


def main() -> None:
    with apart.own_database(f"bench_moments_{os.getpid()}"):
        print(json.dumps(_measure(_fill())))


def _fill() -> Any:
    """A decision an entry, regions in turn: three for each."""
    from datetime import timedelta

    from django.utils import timezone

    from annotation import canonical, chain
    from annotation.models import GroundTruthRevision, LedgerEntry, LedgerHead, Region
    from tests import factories

    study = factories.study()
    slide = factories.slide(study, width=100_000, height=100_000)
    Region.objects.bulk_create(
        [
            Region(study=study, slide=slide, index=n, x=n % 1000 * 64, y=n // 1000 * 64, width=64, height=64,
                   public_id=f"r{n:07}", state="settled")
            for n in range(REGIONS)
        ],
        batch_size=5000,
    )  # fmt: skip
    regions = list(Region.objects.filter(study=study).order_by("index"))
    start, previous, rows, links, numbers = timezone.now(), chain.GENESIS, [], [], [0] * REGIONS
    for position in range(1, ENTRIES + 1):
        place, at = position % REGIONS, start + timedelta(seconds=position)
        numbers[place] += 1
        label = factories.CODES[position % 3]
        row = GroundTruthRevision(
            study=study, region=regions[place], number=numbers[place], is_settled=True, label=label,
            answer={"kind": "class", "label": label}, method="consistency", protocol=study.protocol, created_at=at,
        )  # fmt: skip
        text = canonical.dumps({"at": at.isoformat(), "revision": row.content()})
        digest = chain.hash_link(position=position, kind="revision", payload=text, previous_digest=previous)
        links.append(LedgerEntry(study=study, position=position, kind="revision", payload=text,
                                 previous_digest=previous, digest=digest, created_at=at))  # fmt: skip
        rows.append(row)
        previous = digest
    GroundTruthRevision.objects.bulk_create(rows, batch_size=5000)
    LedgerEntry.objects.bulk_create(links, batch_size=5000)
    LedgerHead.objects.create(study=study, position=ENTRIES, digest=previous)
    _vacuum()
    return study


def _vacuum() -> None:
    """What autovacuum does within minutes, so that an index alone can answer."""
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute("VACUUM ANALYZE annotation_ledgerentry")
        cursor.execute("VACUUM ANALYZE annotation_groundtruthrevision")


def _measure(study: Any) -> dict[str, Any]:
    from annotation import chain
    from annotation.releasing import standing
    from annotation.selectors import history, moments, timeline
    from annotation.services import ledger

    half = ENTRIES // 2
    at = moments.resolve(study, position=half).at
    region = study.regions.order_by("pk").first()
    asked = {
        "position of a time": lambda: moments.resolve(study, at=at),
        "region": lambda: history.read(region, position=half),
        "study": lambda: moments.count(moments.resolve(study, position=half)),
        "difference of a thousand entries": lambda: moments.compare(
            moments.resolve(study, position=half), moments.resolve(study, position=half + 1000), size=24
        ),
        "difference of all": lambda: moments.compare(
            moments.resolve(study, position=0), moments.resolve(study), size=24
        ),
        "page of the timeline": lambda: timeline.entries(study),
        "days": lambda: timeline.days(study),
        "fold": lambda: standing.fold(ledger.links(study, upto=half)),
        "export and check": lambda: chain.check_export(ledger.export(study)),
        "verify": lambda: ledger.verify(study),
    }
    return {name: _ask(run) for name, run in asked.items()}


def _ask(run: Any) -> dict[str, float]:
    start = time.perf_counter()
    run()
    seconds = time.perf_counter() - start
    if seconds > 5:
        return {"seconds": round(seconds, 3)}
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {"seconds": round(seconds, 3), "peak_mb": round(peak / 1e6, 1)}


if __name__ == "__main__":
    main()
