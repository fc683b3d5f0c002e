"""kill -9 of a worker's child, a worker, the web, PostgreSQL, and Redis with its data, while a demo runs.

One demo takes all five: after each, work must go on within 30 s; in the end everything is finished and nothing that was
acknowledged is missing. It takes both cores for minutes, so it belongs to the slow round; what is killed one by one is
in the quick one (`tests/workers/test_worker.py`, `tests/project/test_crashes.py`).
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from learning.slides.synthetic.study import write_study
from tests.flows.running import Demo, wait_until

SECONDS_TO_GO_ON = 30.0
POLICY = {
    "batch_size": 24,
    "first_model_revisions": 24,
    "retrain_every_revisions": 24,
    "refit_every_answers": 15,
    # Cases draw the audit sample by a secret that each import makes anew: enough of them, and it is never most.
    "audit_rate": 0.2,
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="Reads /proc to find a worker's children."),
]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    study = write_study(tmp_path / "study", seed=1, cases=12, cells_per_slide=18, processes=2)
    text = (study / "study.toml").read_text()
    kept = [line for line in text.splitlines() if line.split(" =")[0] not in POLICY]
    (study / "study.toml").write_text("\n".join([*kept, *(f"{k} = {v}" for k, v in POLICY.items())]) + "\n")
    running = Demo(
        var=tmp_path / "var", study=study, arguments=["--annotators", "4", "--answers", "330", "--pace", "0.1"]
    )
    try:
        running.start()
        yield running
    finally:
        running.stop()


def seconds_until_work_goes_on(demo: Demo, *, killed_at: float, looks_at_jobs: bool) -> float | None:
    """Seconds to the first sign of life after the kill: of a job, or an acknowledged answer; None if none came."""

    def signs() -> list[float]:
        moments = demo.job_moments() if looks_at_jobs else demo.acknowledged()
        return [moment for moment in moments if moment > killed_at]

    if not wait_until(lambda: bool(signs()), seconds=SECONDS_TO_GO_ON + 5, pause=0.25):
        return None
    return min(signs()) - killed_at


def wait_for_answers(demo: Demo, *, more: int) -> None:
    """Wait until people have given `more` answers than now."""
    wanted = len(demo.acknowledged()) + more
    assert wait_until(lambda: len(demo.acknowledged()) >= wanted, seconds=90), demo.tail()


@pytest.mark.timeout(420)
def test_whatever_is_killed_work_goes_on_within_30_seconds_and_nothing_acknowledged_is_missing(
    demo: Demo,
) -> None:
    # The database is asked from the first: the slides are still being read.
    assert wait_until(lambda: bool(demo.job_moments()), seconds=120), demo.tail()
    pauses: dict[str, float | None] = {}
    for victim in ("child", "workers", "web", "postgresql", "redis"):
        if victim not in ("child", "workers"):
            wait_for_answers(demo, more=12)
        assert demo.is_running, f"The demo ended before {victim} was killed:\n{demo.tail()}"
        if victim == "redis":
            demo.delete_redis_data()
        pid = demo.child_of("workers") if victim == "child" else demo.pid_of(victim)
        killed_at = demo.kill(pid)
        looks_at_jobs = victim in ("child", "workers", "redis")
        pauses[victim] = seconds_until_work_goes_on(demo, killed_at=killed_at, looks_at_jobs=looks_at_jobs)
    print("Seconds until work went on:", pauses)
    slow = {name: pause for name, pause in pauses.items() if pause is None or pause > SECONDS_TO_GO_ON}
    assert not slow, f"{slow}\n{demo.tail()}"

    demo.wait(240)
    found = json.loads(demo.report.read_text())
    assert found["acknowledged"] >= 300
    assert (found["acknowledged_missing"], found["acknowledged_doubled"], found["acknowledged_altered"]) == (0, 0, 0)
    assert found["picks_open"] == 0 and found["jobs_failed"] == []
    assert found["models"] >= 3
    assert found["release_verified"], found["problems"]
