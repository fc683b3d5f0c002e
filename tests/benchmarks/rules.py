"""What the rules of pure logic find of planted violations, and how long a pass over 50,000 settled regions takes.

Decides sizes; refuses to know what is planted. Runs in a process of its own, as pytest holds Django's connections.
"""

import json
import time
from typing import Any

from tests.benchmarks import apart

DATABASE = "bench_rules"
REGIONS, EACH = 1000, 10
MANY, AT_ONCE = 50_000, 1000
EARLIER = frozenset(
    "case-splits class-quota identical-regions ledger-broken posterior-target stale-protocol unresolved".split()
)
"""The rules that there were at first: what the others add to a pass is measured against them, in the same run."""


def measure_rules() -> dict[str, Any]:
    """`found`: rule -> planted, found, precision, recall. `pass`: seconds of a pass, of reading and of each rule."""
    return apart.measure("tests.benchmarks.rules")


def main() -> None:
    """Plant and measure in a database that is dropped again."""
    with apart.own_database(DATABASE):
        from tests.annotation.rules import planting

        planted = planting.plant(regions=REGIONS, each=EACH)
        table = planting.score(planted, planting.run_pass(planted))
        found = {rule: row for rule, row in table.items() if rule in planted.expected}
        perfect = sum((row["precision"], row["recall"]) == (1.0, 1.0) for row in found.values())
        result = {"found": found, "rules": len(found), "perfect": perfect, "pass": _time_pass()}
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
