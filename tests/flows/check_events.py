"""Checks a log of what clients saw, without Concord: no region beyond its overlap, no answer counted twice.

    python -m tests.flows.check_events --overlap 3 LOG...

A line is {"at": seconds of one clock, "event": ..., "member", "region", "token", "key", "row"}. `at` of "claimed" is
taken after the claim returned; that of "giving" before a lease is ended, so a lease surely lived in between.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Event = dict[str, Any]


def read(paths: Iterable[Path]) -> list[Event]:
    """All events of all logs in the order of time."""
    events = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
    return sorted(events, key=lambda event: event["at"])


def find_violations(events: list[Event], *, overlap: int) -> Iterator[str]:
    """Sentences about everything that must not be."""
    yield from _find_too_many(events, overlap)
    yield from _find_two_leases(events)
    yield from _find_double_answers(events)


def _find_too_many(events: list[Event], overlap: int) -> Iterator[str]:
    """People who hold or have answered a region, at every moment."""
    busy: dict[str, set[str]] = defaultdict(set)
    for event in events:
        region, member = event["region"], event["member"]
        if event["event"] == "claimed":
            busy[region].add(member)
            if len(busy[region]) > overlap:
                yield f"{event['at']:.6f}: region {region} is with {len(busy[region])} people, not {overlap}."
        elif event["event"] == "giving":
            busy[region].discard(member)


def _find_two_leases(events: list[Event]) -> Iterator[str]:
    held: dict[str, str] = {}
    for event in events:
        member = event["member"]
        if event["event"] == "claimed":
            if held.get(member, event["token"]) != event["token"]:
                yield f"{event['at']:.6f}: {member} holds two leases at once."
            held[member] = event["token"]
        elif event["event"] in ("giving", "answered"):
            held.pop(member, None)


def _find_double_answers(events: list[Event]) -> Iterator[str]:
    """A key always names one row, a row one key; a person answers a region once."""
    rows: dict[tuple[str, str], set[int]] = defaultdict(set)
    keys: dict[int, set[tuple[str, str]]] = defaultdict(set)
    pairs: dict[tuple[str, str], set[str]] = defaultdict(set)
    for event in events:
        if event["event"] == "answered":
            name = (event["member"], event["key"])
            rows[name].add(event["row"])
            keys[event["row"]].add(name)
            pairs[event["member"], event["region"]].add(event["key"])
    yield from (f"The key {name} gave rows {sorted(found)}." for name, found in rows.items() if len(found) > 1)
    yield from (f"Row {row} answers to the keys {found}." for row, found in keys.items() if len(found) > 1)
    yield from (f"{name} was answered with the keys {found}." for name, found in pairs.items() if len(found) > 1)


def count_answers(events: list[Event]) -> Counter[str]:
    """Answered rows per region."""
    rows = {(event["region"], event["row"]) for event in events if event["event"] == "answered"}
    return Counter(region for region, _ in rows)


def main() -> int:
    """Print violations; 1 where there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--overlap", type=int, required=True)
    parser.add_argument("logs", type=Path, nargs="+")
    given = parser.parse_args()
    events = read(given.logs)
    violations = list(find_violations(events, overlap=given.overlap))
    print("\n".join(violations) or f"{len(events)} events, no violation.")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
