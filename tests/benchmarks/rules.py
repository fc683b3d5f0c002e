"""What the rules of pure logic find of planted violations, and how long a pass over 50,000 settled regions takes.

Decides sizes; refuses to know what is planted. Runs in a process of its own, as pytest holds Django's connections.
"""

import json
import os
import subprocess
import sys
import time
from typing import Any

import django

DATABASE = "bench_rules"
REGIONS, EACH = 1000, 10
MANY, AT_ONCE = 50_000, 1000
EARLIER = frozenset(
    "case-splits class-quota identical-regions ledger-broken posterior-target stale-protocol unresolved".split()
)
"""The rules that there were at first: what the others add to a pass is measured against them, in the same run."""


def measure_rules() -> dict[str, Any]:
    """`found`: rule -> planted, found, precision, recall. `pass`: seconds of a pass, of reading and of each rule."""
    command = [sys.executable, "-m", "tests.benchmarks.rules"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> None:
    """Plant and measure in a database that is dropped again."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.annotation.rules import planting
    from tests.benchmarks import database

    try:
        database.prepare(DATABASE)
        planted = planting.plant(regions=REGIONS, each=EACH)
        table = planting.score(planted, planting.run_pass(planted))
        found = {rule: row for rule, row in table.items() if rule in planted.expected}
        perfect = sum((row["precision"], row["recall"]) == (1.0, 1.0) for row in found.values())
        result = {"found": found, "rules": len(found), "perfect": perfect, "pass": _time_pass()}
    finally:
        database.drop(DATABASE)
    print(json.dumps(result))


def _time_pass() -> dict[str, Any]:
    from annotation.rules import RULES
    from annotation.selectors import passview
    from annotation.services import passes
    from tests.annotation.rules import planting

    study, manager = planting.settle_many(MANY, at_once=AT_ONCE)
    row = passes.start(study=study, member=manager)
    reading, reading_seconds = _clock(lambda: passview.read(row))
    by_rule = {rule.code: _clock(lambda rule=rule: list(rule.find(reading.view)))[1] for rule in RULES}
    _, seconds = _clock(lambda: passes.execute(row))
    earlier = sum(taken for code, taken in by_rule.items() if code in EARLIER)
    return {
        "regions": len(reading.view.items),
        "seconds": round(seconds, 2),
        "reading_seconds": round(reading_seconds, 2),
        "earlier_rules_seconds": round(earlier, 3),
        "new_rules_seconds": round(sum(by_rule.values()) - earlier, 3),
        "slowest": {code: round(taken, 3) for code, taken in sorted(by_rule.items(), key=lambda one: -one[1])[:5]},
    }


def _clock(run: Any) -> tuple[Any, float]:
    start = time.perf_counter()
    result = run()
    return result, time.perf_counter() - start


if __name__ == "__main__":
    main()
