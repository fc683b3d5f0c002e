"""Adaptive overlap against fixed overlaps on 37 real readers' recorded votes: how many answers, how often right.

Decides the policies and the seeds: some go through the real queue, many through `votequeue`, which is held to give the
same; refuses to know how either works. Runs in a process of its own, as pytest holds Django's connections.
CONCORD_SHARED names the folder with data/ (default ../shared).
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from tests.benchmarks import apart

SOURCE = "data/multi_expert_labels_htt_stils"
DATABASE = "bench_replaying"
SECRET = "5a" * 32
REAL_SEEDS, DRAWN_SEEDS = 3, 10
RARE = 0.05
BOUND_USED, BOUND_AGREEMENT = 0.30, 0.97
# The study's own policy is what tests/studies.py writes; "as shipped" are Concord's defaults.
POLICIES: dict[str, dict[str, Any]] = {
    "adaptive": {},
    "adaptive, as shipped": {"max_overlap": 5, "target_confidence": 0.9},
    "fixed 3": {"fixed_overlap": 3},
    "fixed 5": {"fixed_overlap": 5},
    "fixed 7": {"fixed_overlap": 7},
}


def measure_replaying() -> dict[str, Any]:
    """A row a policy: answers used and agreement with the majority and with Dawid-Skene of all readers."""
    return apart.measure("tests.benchmarks.replaying")


def main() -> None:
    """Make the study in a database of its own, measure, and print what was found."""
    with apart.own_database(DATABASE):
        print(json.dumps(_measure()))


def _measure() -> dict[str, Any]:
    from workers.simulation import votes

    study = _import()
    book = votes.recorded(study)
    runs = {
        name: [_draw(study, book, policy, seed) for seed in range(DRAWN_SEEDS)] for name, policy in POLICIES.items()
    }
    start = time.perf_counter()
    real = [_replay(study, book, seed) for seed in range(REAL_SEEDS)]
    seconds = time.perf_counter() - start
    return {
        "readers": len(book.votes),
        "regions": len(book.regions),
        "votes": book.count,
        "seeds": DRAWN_SEEDS,
        "table": {name: _summarise(rows) for name, rows in runs.items()},
        "real_queue": {
            **_summarise(real),
            "seeds": REAL_SEEDS,
            "seconds": round(seconds, 1),
            "equals_the_model": [row == drawn for row, drawn in zip(real, runs["adaptive"], strict=False)],
            "holds": all(row["used"] <= BOUND_USED and row["majority"] >= BOUND_AGREEMENT for row in real),
        },
    }


def _import() -> Any:
    """The readers' study, imported as anybody would."""
    from annotation.models import Study
    from annotation.services import imports
    from tests import studies

    source = Path(os.environ.get("CONCORD_SHARED", Path(__file__).parents[3] / "shared")) / SOURCE
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "study"
        studies.convert_htt(source, out)
        # The secret names the regions, and the names draw planted checks: the same ones on every run.
        with mock.patch.object(Study._meta.get_field("secret"), "_get_default", lambda: SECRET):
            return imports.import_folder(out, slug="readers").study


def _draw(study: Any, book: Any, policy: dict[str, Any], seed: int) -> dict[str, float]:
    from annotation.policy import Policy
    from tests.benchmarks.votequeue import VoteQueue

    values = Policy.parse({**study.policy_values, **policy})
    found = VoteQueue(book=book, policy=values, seed=seed, audit=_audit(study, seed)).run()
    return _row(found.answers, found.undecided, found.labels, book)


def _audit(study: Any, seed: int) -> dict[str, bool]:
    """Which regions a copy under this seed has in its audit sample."""
    from annotation import audit

    rate = study.policy.audit_rate
    rows = study.regions.values_list("public_id", "slide__case__code")
    return {name: audit.half_of(seed=seed, case_code=case, rate=rate) != "" for name, case in rows}


def _replay(study: Any, book: Any, seed: int) -> dict[str, float]:
    from annotation.models import Study
    from workers.simulation import references, replay

    plan = replay.Plan(seed=seed, is_lockstep=True)
    found = replay.run(study=study, book=book, plan=plan, told=lambda line: print(line, file=sys.stderr, flush=True))
    labels = references.decided(Study.objects.get(slug=found["study"]))
    return _row(found["answers"], found["undecided"], labels, book)


def _row(answers: int, undecided: int, labels: dict[str, str], book: Any) -> dict[str, float]:
    """One run. In `majority` a region whose readers are tied counts as wrong; `untied` leaves these out.

    `rare` is agreement with the majority on the regions of rare classes, which a share of all regions hides.
    """
    from workers.simulation import references

    found = references.measure(labels, book=book)
    by_majority, by_fit = found["agreement_majority"], found["agreement_dawid_skene"]
    return {
        "answers": answers,
        "used": round(answers / book.count, 4),
        "majority": round(by_majority["same"] / len(book.regions), 4),
        "untied": round(by_majority["share"], 4),
        "rare": round(_share_of_rare(by_majority["by_class"]), 4),
        "dawid_skene": round(by_fit["share"], 4),
        "undecided": undecided,
    }


def _share_of_rare(by_class: dict[str, list[int]]) -> float:
    """Agreement on the regions of classes that are less than a twentieth of all."""
    most = RARE * sum(count for _, count in by_class.values())
    rare = [pair for pair in by_class.values() if pair[1] < most]
    return sum(same for same, _ in rare) / max(sum(count for _, count in rare), 1)


def _summarise(rows: list[dict[str, float]]) -> dict[str, list[float]]:
    """Mean, lowest and highest of the runs' figures."""
    return {
        key: [round(float(np.mean(values)), 4), min(values), max(values)]
        for key in rows[0]
        if (values := [row[key] for row in rows])
    }


if __name__ == "__main__":
    main()
