"""A release and a new blocker at the same time, over two real connections, in each interleaving: never both."""

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, connections, transaction

from annotation.errors import GateClosed
from annotation.models import ConsistencyPass, Finding, Release
from annotation.services import findings, releases
from annotation.states import FindingState
from tests.annotation.consistency_studies import decide, decided, insert_release, run_pass

WAIT_SECONDS = 20


@pytest.fixture
def row(committed: None, settings: Any, tmp_path: Path) -> ConsistencyPass:
    settings.STORE = tmp_path / "store"
    study, _ = decided(regions=3, slides=3)
    return run_pass(study)


def add_blocker(row: ConsistencyPass) -> None:
    evidence = {"version": 1, "evidence": {}, "evidence_digest": ""}
    Finding.objects.create(
        consistency_pass=row, rule="late", severity="blocker", subject="late", message="Late.", data=evidence
    )


def run_beside(work: Callable[[], object]) -> tuple[threading.Thread, list[BaseException]]:
    """Run `work` in a thread with a connection of its own; its error is kept."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, errors


def wait_for_a_lock() -> None:
    """Until another connection waits for what this one has locked."""
    for _ in range(WAIT_SECONDS * 50):
        with connection.cursor() as cursor:
            # pg_locks, because pg_stat_activity stands still within a transaction.
            cursor.execute(
                "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted"
                " AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
            )
            if cursor.fetchone()[0]:
                return
        threading.Event().wait(0.02)
    raise AssertionError("The second transaction never came to wait for the first.")


def is_both(row: ConsistencyPass) -> bool:
    open_ones = Finding.objects.filter(consistency_pass=row, severity="blocker", state=FindingState.OPEN)
    return open_ones.exists() and Release.objects.filter(consistency_pass=row).exists()


@pytest.mark.parametrize("does_commit", [True, False], ids=["commit", "rollback"])
@pytest.mark.parametrize(
    ("first", "second"),
    [(insert_release, add_blocker), (add_blocker, insert_release)],
    ids=["release-first", "blocker-first"],
)
def test_the_second_waits_and_is_refused_if_the_first_commits(row, first, second, does_commit):
    with transaction.atomic():
        first(row)
        thread, errors = run_beside(lambda: second(row))
        wait_for_a_lock()
        transaction.set_rollback(not does_commit)
    thread.join(WAIT_SECONDS)
    assert not thread.is_alive() and bool(errors) == does_commit
    assert all(isinstance(error, DatabaseError) for error in errors)
    assert not is_both(row)
    assert Release.objects.exists() == ((first is insert_release) == does_commit)


def test_the_second_waits_also_for_a_release_by_the_service(row):
    with transaction.atomic():
        releases.freeze(study=row.study, consistency_pass=row)
        thread, errors = run_beside(lambda: add_blocker(row))
        wait_for_a_lock()
    thread.join(WAIT_SECONDS)
    assert len(errors) == 1 and "has been released" in str(errors[0])
    assert Release.objects.count() == 1 and not is_both(row)


def test_a_release_by_the_service_waits_for_a_blocker_and_leaves_no_folder(row):
    with transaction.atomic():
        add_blocker(row)
        thread, errors = run_beside(lambda: releases.freeze(study=row.study, consistency_pass=row))
        wait_for_a_lock()
    thread.join(WAIT_SECONDS)
    assert len(errors) == 1 and isinstance(errors[0], GateClosed)
    assert not Release.objects.exists()
    assert not releases.root().exists() or list(releases.root().iterdir()) == []


def test_two_releases_of_one_pass_at_once_are_one(row):
    found: list[Release] = []
    barrier = threading.Barrier(3)

    def cut() -> None:
        barrier.wait(WAIT_SECONDS)
        found.append(releases.freeze(study=row.study, consistency_pass=row))

    beside = [run_beside(cut) for _ in range(3)]
    for thread, _ in beside:
        thread.join(WAIT_SECONDS)
    assert [errors for _, errors in beside] == [[], [], []]
    assert len({release.pk for release in found}) == 1 and Release.objects.count() == 1
    assert [path.name for path in releases.root().iterdir()] == [found[0].manifest_digest]


def test_a_waiver_taken_back_while_a_release_is_cut_is_refused_or_refuses(row):
    manager = row.study.memberships.get()
    add_blocker(row)
    findings.waive(finding=Finding.objects.get(), member=manager, reason="Fine.")
    barrier = threading.Barrier(2)

    def cut() -> None:
        barrier.wait(WAIT_SECONDS)
        releases.freeze(study=row.study, consistency_pass=row)

    def take_back() -> None:
        barrier.wait(WAIT_SECONDS)
        findings.reopen(finding=Finding.objects.get(), member=manager, reason="Not fine.")

    beside = [run_beside(cut), run_beside(take_back)]
    for thread, _ in beside:
        thread.join(WAIT_SECONDS)
    assert sum(len(errors) for _, errors in beside) == 1
    assert not is_both(row)


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
@pytest.mark.parametrize("order", ["release-first", "blocker-first"])
def test_another_isolation_level_is_no_way_around(row, level, order):
    first, second = (insert_release, add_blocker) if order == "release-first" else (add_blocker, insert_release)
    parameters = connection.get_connection_params()
    plain = {key: parameters[key] for key in ("dbname", "user", "password", "host", "port") if parameters.get(key)}
    with closing(psycopg.connect(**plain)) as old:
        # A snapshot from before the first one commits: whoever read with it would not see what was committed since.
        old.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
        old.execute("SELECT count(*) FROM annotation_release")
        first(row)
        with pytest.raises(psycopg.Error, match="READ COMMITTED"):
            old.execute(statement_of(second), {"row": row.pk, "study": row.study_id})
    assert not is_both(row)


def statement_of(work: Callable[[ConsistencyPass], None]) -> str:
    """The plain SQL of adding a release or a blocker."""
    if work is insert_release:
        return (
            "INSERT INTO annotation_release (study_id, number, consistency_pass_id, manifest_digest, stored_name, "
            "items_count, created_at) VALUES (%(study)s, 1, %(row)s, '', '', 0, now())"
        )
    return (
        "INSERT INTO annotation_finding (consistency_pass_id, rule, severity, subject, message, fix, data, state, "
        "reason) VALUES (%(row)s, 'late', 'blocker', 'late', 'Late.', '', '{}', 'open', '')"
    )


def test_people_submit_while_a_pass_reads(row):
    """The reading is one snapshot: what is written beside it neither enters nor looks like a broken ledger."""
    study, stop, count = row.study, threading.Event(), [0]

    def write() -> None:
        manager = study.memberships.get()
        region = study.regions.order_by("pk").first()
        while not stop.is_set():
            decide(region, manager, label=("neutrophil", "monocyte")[count[0] % 2])
            count[0] += 1

    thread, errors = run_beside(write)
    try:
        while count[0] < 2:
            threading.Event().wait(0.01)
        rows = [run_pass(study) for _ in range(5)]
    finally:
        stop.set()
        thread.join(WAIT_SECONDS)
    assert errors == [] and count[0] > 2
    for one in rows:
        assert not Finding.objects.filter(consistency_pass=one).exists()
        seen = one.items.get(region=study.regions.order_by("pk").first()).revision
        entry = study.ledger_entries.filter(position__lte=one.ledger_position, kind="revision").order_by("position")
        last = [one for one in entry if seen.region.public_id in one.payload][-1]
        assert f'"number":{seen.number},' in last.payload
