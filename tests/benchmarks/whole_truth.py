"""A whole study through a split of classes and tiring people, with and without the pass: how much of it is wrong.

Decides what goes wrong on the way and how the two outcomes are compared: from the same answers, against known truth.
Runs in a process of its own, as pytest holds Django's connections; what a seed gave is printed when it is known.
"""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.benchmarks import apart
from workers.simulation import sample as samples

SEEDS = 20
SAMPLE = 50
CASES, CELLS = 12, 10
REPOSITORY = Path(__file__).resolve().parents[2]
SIDE_BY_SIDE = 2


def measure_whole_truth(*, seeds: int = SEEDS) -> dict[str, Any]:
    """Each seed's share of wrong labels without and with the pass, and whether the stated interval holds it."""
    _draw()
    shares = [range(seeds)[start::SIDE_BY_SIDE] for start in range(min(SIDE_BY_SIDE, seeds))]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        rows = [row for found in pool.map(_run_apart, shares) for row in found]
    return summarise(sorted(rows, key=lambda row: row["seed"]))


def _run_apart(seeds: range) -> list[dict[str, Any]]:
    return apart.run("tests.benchmarks.whole_truth", *map(str, seeds))


def _draw() -> Path:
    """The slides, drawn where they are not yet; once, before anybody reads them."""
    folder = Path(os.environ.get("CONCORD_VAR", REPOSITORY / "var" / "test")) / "samples"
    return samples.find_or_draw(folder, seed=11, cases=CASES, cells_per_slide=CELLS)[0]


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """All seeds together; the ratio is of sums, its interval by drawing the seeds anew 10,000 times."""
    import numpy as np

    from tests.benchmarks import redrawing

    names = ("without", "without_but_asked_again", "with_pass_but_the_sample", "with_pass")
    without, asked, before, with_pass = (np.array([row[name] for row in rows]) for name in names)
    ratio = redrawing.bound_ratio(with_pass, without)
    return {
        "seeds": len(rows),
        "wrong_without_the_pass": round(float(without.mean()), 4),
        "wrong_without_but_asked_again": round(float(asked.mean()), 4),
        "wrong_with_the_pass_before_the_sample": round(float(before.mean()), 4),
        "wrong_with_the_pass": round(float(with_pass.mean()), 4),
        "ratio": ratio["value"],
        "ratio_low": ratio["low"],
        "ratio_high": ratio["high"],
        "seeds_at_most_a_third": int((with_pass <= without / 3).sum()),
        "inside_the_stated_interval": int(sum(row["is_inside"] for row in rows)),
        "rows": rows,
    }


def main(seeds: list[int]) -> None:
    """Draw the study once, then run every seed on a copy of it, a line of JSON each."""
    with apart.own_database(f"bench_truth_{os.getpid()}"):
        from tests.benchmarks import upheaval

        study = upheaval.make_study(_draw())
        for seed in seeds:
            started = time.perf_counter()
            row = upheaval.run(study, seed=seed, sample=SAMPLE)
            print(json.dumps({**row, "seconds": round(time.perf_counter() - started, 1)}), flush=True)


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or list(range(SEEDS)))
