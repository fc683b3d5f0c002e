"""How long 50,000 labels take to be released in every format, and to be exported and checked again.

Decides sizes; refuses to know what the files hold. Runs in a process of its own, as pytest holds Django's connections.
"""

import argparse
import csv
import json
import os
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks import apart

if TYPE_CHECKING:
    from annotation.releasing.content import Content

DATABASE = "bench_releasing"
LABELS, AT_ONCE = 50_000, 1000
ANSWERED, PEOPLE = 100, 2
BOUND_SECONDS = 10.0


def measure_releasing() -> dict[str, Any]:
    """Wall and processor seconds of reading, writing, freezing and exporting; `seconds` is that of the writing."""
    return apart.measure("tests.benchmarks.releasing")


def main() -> None:
    """Settle, pass, release in a database that is dropped again."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--labels", type=int, default=LABELS)
    labels = parser.parse_args().labels
    with apart.own_database(DATABASE), tempfile.TemporaryDirectory() as folder:
        result = _measure(labels, Path(folder)) | {"answered": _measure_answered(labels, Path(folder))}
    print(json.dumps(result))


def _measure(labels: int, folder: Path) -> dict[str, Any]:
    from django.conf import settings

    from annotation.releasing import folder as writing
    from annotation.selectors import released
    from annotation.services import passes, releases
    from tests.annotation.rules import planting

    settings.STORE = folder / "store"
    study, manager = planting.settle_many(labels, at_once=AT_ONCE)
    row = passes.execute(passes.start(study=study, member=manager))
    content, reading = _clock(lambda: released.read(row))
    (written, _), written_in = _clock(lambda: writing.write(content, parent=folder / "written"))
    release, freezing = _clock(lambda: releases.freeze(study=study, consistency_pass=row, member=manager))
    checked, exporting = _clock(lambda: releases.export(release=release, out=folder / "out"))
    with (folder / "out" / "labels.csv").open(newline="") as stream:
        rows = sum(1 for _ in csv.DictReader(stream))
    boxes = len(json.loads((folder / "out" / "coco.json").read_text())["annotations"])
    assert checked.ok, checked.problems[:3]
    return {
        "labels": labels,
        "rows": rows,
        "boxes": boxes,
        "released": release.items_count,
        "files": sum(path.is_file() for path in written.rglob("*")),
        "reading": reading,
        "writing": written_in,
        "freezing": freezing,
        "exporting": exporting,
        "load": os.getloadavg()[0],
        "seconds": reading["processor_seconds"] + written_in["processor_seconds"],
        "bound_seconds": BOUND_SECONDS,
    }


def _measure_answered(labels: int, folder: Path) -> dict[str, Any]:
    """The same with an entry for each of two answers to a label: a hundred real ones, written many times over."""
    from annotation.releasing import folder as writing
    from annotation.releasing import standing
    from annotation.releasing.verify import verify
    from annotation.selectors import released
    from tests.annotation.rules import planting

    content = _repeat(released.read(planting.answer_many(ANSWERED, people=PEOPLE)), labels // ANSWERED)
    stood, folding = _clock(lambda: standing.fold(content.links))
    (written, digest), written_in = _clock(lambda: writing.write(content, parent=folder / "answered"))
    checked, checking = _clock(lambda: verify(written, digest=digest))
    assert checked.ok, checked.problems[:3]
    return {
        "labels": checked.regions,
        "answers": len(stood.answers),
        "folding": folding,
        "writing": written_in,
        "checking": checking,
    }


def _repeat(content: "Content", times: int) -> "Content":
    """The same history so many times, of regions with other names; one chain."""
    from annotation import chain

    links: list[chain.Link] = []
    regions, answers = [], []
    for number in range(times):
        mark = f"{number:04x}"
        for link in content.links:
            payload = re.sub(r'("region":"\w+)', rf"\g<1>{mark}", link.payload)
            before = links[-1].digest if links else chain.GENESIS
            place = {"position": len(links) + 1, "kind": link.kind, "payload": payload, "previous_digest": before}
            links.append(chain.Link(**place, digest=chain.hash_link(**place)))
        regions += [replace(one, region=one.region + mark) for one in content.regions]
        answers += [replace(one, region=one.region + mark) for one in content.answers]
    return replace(
        content,
        links=links,
        position=len(links),
        digest=links[-1].digest,
        regions=tuple(sorted(regions, key=lambda one: one.region)),
        answers=tuple(sorted(answers, key=lambda one: (one.region, one.annotator))),
    )


def _clock(run: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    wall, processor = time.monotonic(), time.process_time()
    made = run()
    return made, {"seconds": time.monotonic() - wall, "processor_seconds": time.process_time() - processor}


if __name__ == "__main__":
    main()
