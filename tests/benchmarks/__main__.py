"""Run benchmarks outside pytest: python -m tests.benchmarks [NAME ...] --out var/bench.json."""

import argparse
import json
from pathlib import Path

from tests.benchmarks.catalogue import BENCHMARKS
from tests.benchmarks.report import record


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure speed and quality; results are JSON.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(sorted(BENCHMARKS))}")
    parser.add_argument("--out", type=Path, default=Path("var/bench.json"))
    arguments = parser.parse_args()
    for name in arguments.names or sorted(BENCHMARKS):
        if name not in BENCHMARKS:
            parser.error(f"there is no benchmark named {name}; known: {', '.join(sorted(BENCHMARKS))}")
        result = BENCHMARKS[name]()
        record(name, result, path=arguments.out)
        print(name, json.dumps(result, indent=2), flush=True)


if __name__ == "__main__":
    main()
