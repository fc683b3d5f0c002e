"""How long 50,000 labels take to be released in every format, and to be exported and checked again.

Decides sizes; refuses to know what the files hold. Runs in a process of its own, as pytest holds Django's connections.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

DATABASE = "bench_releasing"
LABELS, AT_ONCE = 50_000, 1000
BOUND_SECONDS = 10.0


def measure_releasing() -> dict[str, Any]:
    """Wall and processor seconds of reading, writing, freezing and exporting; `seconds` is that of the writing."""
    command = [sys.executable, "-m", "tests.benchmarks.releasing"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> None:
    """Settle, pass, release in a database that is dropped again."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--labels", type=int, default=LABELS)
    labels = parser.parse_args().labels
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.benchmarks import database

    try:
        database.prepare(DATABASE)
        with tempfile.TemporaryDirectory() as folder:
            result = _measure(labels, Path(folder))
    finally:
        database.drop(DATABASE)
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


def _clock(run: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    wall, processor = time.monotonic(), time.process_time()
    made = run()
    return made, {"seconds": time.monotonic() - wall, "processor_seconds": time.process_time() - processor}


if __name__ == "__main__":
    main()
