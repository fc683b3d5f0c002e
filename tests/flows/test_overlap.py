"""Sixteen processes against PostgreSQL: never more people than the overlap, never an answer twice."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings

from annotation.models import Annotation, Pick
from annotation.states import PickState
from tests import factories
from tests.conftest import REPOSITORY
from tests.flows import check_events

OVERLAP, REGIONS, PROCESSES = 3, 80, 16


@pytest.mark.timeout(300)
def test_sixteen_processes_never_exceed_the_overlap_nor_count_an_answer_twice(committed: None, tmp_path: Path) -> None:
    study = factories.study(policy={"fixed_overlap": OVERLAP, "min_overlap": OVERLAP, "max_skips": 1000})
    for _ in range(PROCESSES):
        factories.member(study)
    slide = factories.slide(study)
    for _ in range(REGIONS):
        factories.pick(factories.region(slide), slots=OVERLAP, overlap=OVERLAP)
    done = subprocess.run(
        [sys.executable, "-m", "tests.flows.contest", study.slug, str(tmp_path)],
        cwd=REPOSITORY,
        env={**os.environ, "DATABASE_URL": database_url(), "REDIS_URL": settings.REDIS_URL, "TQDM_DISABLE": "1"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    logs = sorted(tmp_path.glob("*.jsonl"))
    assert len(logs) == PROCESSES
    events = check_events.read(logs)
    assert list(check_events.find_violations(events, overlap=OVERLAP)) == []
    answered = check_events.count_answers(events)
    assert len(answered) == REGIONS and set(answered.values()) == {OVERLAP}
    assert Annotation.objects.filter(study=study).count() == REGIONS * OVERLAP
    assert not Pick.objects.filter(study=study, state=PickState.OPEN).exists()


def database_url() -> str:
    """The test database, as another process reaches it."""
    database = settings.DATABASES["default"]
    host = quote(str(database["HOST"]), safe="")
    return f"postgresql://{database['USER']}:{database['PASSWORD']}@/{database['NAME']}?host={host}"


def event(at: float, what: str, member: str, **more: object) -> check_events.Event:
    return {"at": at, "event": what, "member": member, "region": "r", "token": member, "key": "", "row": 0} | more


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([event(n, "claimed", f"A{n}") for n in range(3)], "with 3 people, not 2"),
        ([event(1, "claimed", "A1", token="x"), event(2, "claimed", "A1", token="y")], "holds two leases"),
        (
            [event(1, "answered", "A1", key="k", row=1), event(2, "answered", "A1", key="k", row=2)],
            "gave rows [1, 2]",
        ),
        (
            [event(1, "answered", "A1", key="k", row=1), event(2, "answered", "A2", key="l", row=1)],
            "answers to the keys",
        ),
        (
            [event(1, "answered", "A1", key="k", row=1), event(2, "answered", "A1", key="l", row=2)],
            "was answered with the keys",
        ),
    ],
)
def test_checker_of_events_finds_what_was_planted(events: list[check_events.Event], said: str) -> None:
    violations = list(check_events.find_violations(events, overlap=2))
    assert len(violations) == 1 and said in violations[0]


def test_checker_of_events_lets_a_lease_move_on() -> None:
    moved = [event(1, "claimed", "A1"), event(2, "giving", "A1"), event(3, "claimed", "A2")]
    assert list(check_events.find_violations(moved, overlap=1)) == []
