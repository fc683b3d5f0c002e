"""The whole loop against random order with three answers each and majority: answers needed, and how good the truth is.

Our arm has the policy of the recipe "Need fewer answers" (`OURS`, over Concord's defaults); the reference `REFERENCE`.
Both label every region of the same real fields with the same five people of skill 0.85, in virtual time, through the
real queue. Policies were chosen on other fields and on seeds from 100 on. Every answer counts: audit, checks,
adjudications, rechecks, corrections. Each set has a process of its own, both side by side;
`python -m tests.benchmarks.loop bccd 0 1` runs some seeds. CONCORD_SHARED names the folder with data/ (../shared).
"""

import argparse
import json
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks import apart
from tests.benchmarks.reviewing import find_source

SEEDS = 5
OURS: dict[str, Any] = {"min_overlap": 1, "max_overlap": 3, "model_may_support": True, "audit_rate": 0.15}
REFERENCE: dict[str, Any] = {"selection": "random", "fixed_overlap": 3, "consensus": "majority"}
FIELDS: dict[str, tuple[int, int, int | None]] = {"bccd": (3, 4, 30), "chula": (1, 2, None)}
"""Whole fields in the order of their numbers: the first, each how many, and how many of them (none: all). Policies were
chosen on each second from the first on."""
BOUNDS = {"bccd": (0.6, 0.5), "chula": (0.8, 0.65)}
"""Answers of ours for one of the reference: at most, and hoped for."""
MOST_LOST = 0.03
"""Recall of a class."""


def measure_loop(*, seeds: int = SEEDS) -> dict[str, Any]:
    """By set: the ratio of answers, macro-F1 of both arms, and the difference of each class's recall."""
    kinds = [kind for kind in FIELDS if find_source(kind)]
    with ThreadPoolExecutor(len(FIELDS)) as pool:
        rows = dict(zip(kinds, pool.map(lambda kind: _run_apart(kind, range(seeds)), kinds), strict=True))
    return {kind: summarise(kind, rows[kind]) if kind in rows else "sample absent" for kind in FIELDS}


def _run_apart(kind: str, seeds: range) -> list[dict[str, Any]]:
    return apart.run("tests.benchmarks.loop", kind, *map(str, seeds))


def summarise(kind: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """All seeds together, at both moments; intervals by drawing the seeds anew."""
    most, aim = BOUNDS[kind]
    return {
        "regions": rows[0]["regions"],
        "items": rows[0]["items"],
        "seeds": len(rows),
        "most": most,
        "aim": aim,
        **{moment: _compare(rows, moment, most) for moment in ("labelled", "released")},
        "seconds": round(sum(row[arm]["wall_seconds"] for row in rows for arm in ("ours", "reference")), 1),
        "cpu_seconds": round(sum(row[arm]["cpu_seconds"] for row in rows for arm in ("ours", "reference")), 1),
        "rows": rows,
    }


def _compare(rows: list[dict[str, Any]], moment: str, most: float) -> dict[str, Any]:
    from tests.benchmarks import redrawing

    def column(arm: str, key: str) -> Any:
        return np.array([row[arm][moment][key] for row in rows], dtype=float)

    ratio = redrawing.bound_ratio(column("ours", "answers"), column("reference", "answers"))
    gain = redrawing.bound_mean(column("ours", "macro_f1") - column("reference", "macro_f1"), digits=4)
    recalls = {
        code: np.array([row["ours"][moment]["recall"][code] - row["reference"][moment]["recall"][code] for row in rows])
        for code in rows[0]["items"]
    }
    change = {code: redrawing.bound_mean(values, digits=4) for code, values in recalls.items()}
    worst = min(change, key=lambda code: change[code]["value"])
    return {
        "ratio": ratio,
        "macro_f1": round(float(column("ours", "macro_f1").mean()), 4),
        "reference_macro_f1": round(float(column("reference", "macro_f1").mean()), 4),
        "macro_f1_gained": gain,
        "recall_gained": change,
        "worst_class": {"code": worst, **change[worst]},
        "adjudications": int(column("ours", "adjudications").sum()),
        "reference_adjudications": int(column("reference", "adjudications").sum()),
        "holds": bool(ratio["value"] <= most and gain["value"] >= 0 and change[worst]["value"] >= -MOST_LOST),
    }


def main() -> None:
    """Make the sample in a database of its own and run the seeds, a line of JSON each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kind", choices=sorted(FIELDS))
    parser.add_argument("seeds", nargs="+", type=int)
    parser.add_argument("--first", type=int, help="the first field (default of all three: as in the benchmark)")
    parser.add_argument("--step", type=int, help="each how many from there on")
    parser.add_argument("--fields", type=int, help="how many fields at most")
    options = parser.parse_args()
    with apart.own_database(f"bench_loop_{options.kind}_{os.getpid()}"):
        _race(options)


def _race(options: argparse.Namespace) -> None:
    from annotation.models import KnownTruth
    from annotation.policy import Policy
    from tests.benchmarks import loop_arms

    first, step, count = FIELDS[options.kind]
    first = first if options.first is None else options.first
    step, count = options.step or step, options.fields or count
    with tempfile.TemporaryDirectory() as folder:
        cut = loop_arms.cut_sample(options.kind, Path(folder) / "study", first=first, step=step, count=count)
        study = loop_arms.make_study(cut, slug=options.kind)
    labels = list(KnownTruth.objects.filter(region__study=study).values_list("label", flat=True))
    for seed in options.seeds:
        row: dict[str, Any] = {"seed": seed, "regions": len(labels)}
        row["items"] = {code: labels.count(code) for code in sorted(set(labels))}
        for arm, policy in (("ours", OURS), ("reference", REFERENCE)):
            values = {**Policy().to_json(), **policy}
            row[arm] = loop_arms.run(study, slug=f"{options.kind}-{arm}-{seed}", seed=seed, policy=values)
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
