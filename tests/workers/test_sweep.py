"""The sweep and the bell, with the real Redis, an absent one and a silent one."""

import os
import socket
import time
from datetime import timedelta

import pytest
from celery import current_app
from django.core.management import call_command
from kombu import Connection, Queue

from annotation import clock
from annotation.models import Assignment, Job
from annotation.services import jobs, queue
from annotation.states import AssignmentState, JobKind, JobState
from tests import factories
from workers import catalogue, sweep

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def empty_queues():
    with current_app.connection_for_write() as connection:
        for name in catalogue.QUEUES:
            bound = Queue(name).bind(connection.default_channel)
            bound.declare()
            bound.purge()
        yield
        for name in catalogue.QUEUES:
            Queue(name).bind(connection.default_channel).purge()


@pytest.fixture
def use_redis(monkeypatch):
    def use(path):
        options = {"socket_timeout": catalogue.SEND_SECONDS, "socket_connect_timeout": catalogue.SEND_SECONDS}
        away = Connection(f"redis+socket://{path}", transport_options={**options, "max_retries": 0})
        monkeypatch.setitem(catalogue._connections, os.getpid(), away)

    return use


def enqueue(study, key="1"):
    return jobs.enqueue(study=study, kind=JobKind.SELECT_BATCH, key=key)


def grow_old(*rows, seconds=60):
    past = clock.now() - timedelta(seconds=seconds)
    Job.objects.filter(pk__in=[row.pk for row in rows]).update(heartbeat_at=past, created_at=past, rung_at=None)


def test_a_bell_is_rung_after_commit(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        enqueue(factories.study())
    assert catalogue.count_waiting("cpu") == 1


def test_a_message_carries_the_id_and_nothing_else():
    catalogue.send(42, JobKind.TRAIN_MODEL)
    with current_app.connection_for_read() as connection:
        message = Queue("train").bind(connection.default_channel).get(no_ack=True)
    assert message.headers["task"] == "concord.train-model"
    assert message.payload[0] == [42]


def test_without_redis_sending_gives_up_at_once_and_the_sweep_rings_later(use_redis, monkeypatch, tmp_path):
    study = factories.study()
    with monkeypatch.context() as away:
        use_redis(tmp_path / "nobody.sock")
        started = time.monotonic()
        assert not catalogue.send(enqueue(study).pk, JobKind.SELECT_BATCH)
        assert time.monotonic() - started < 0.5
        grow_old(*Job.objects.all())
        assert sweep.sweep_once().rung == 0
        away.undo()
    monkeypatch.undo()
    assert sweep.sweep_once().rung == 1
    assert catalogue.count_waiting("cpu") == 1


def test_a_redis_that_never_answers_does_not_hold_up_the_sender(use_redis, tmp_path):
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent.sock"))
        silent.listen()
        use_redis(tmp_path / "silent.sock")
        started = time.monotonic()
        assert not catalogue.send(1, JobKind.SELECT_BATCH)
        assert time.monotonic() - started < 2.0


def test_a_job_whose_worker_died_is_ready_and_rung_again():
    job = jobs.claim(job_id=enqueue(factories.study()).pk, worker="killed")
    grow_old(job)
    swept = sweep.sweep_once()
    assert (swept.reclaimed, swept.rung) == (1, 1)
    job.refresh_from_db()
    assert job.state == JobState.READY
    assert catalogue.count_waiting("cpu") == 1


def test_bells_are_not_rung_where_messages_still_wait():
    study = factories.study()
    first, second = enqueue(study, key="1"), enqueue(study, key="2")
    catalogue.send(first.pk, first.kind)
    grow_old(first, second)
    assert sweep.sweep_once().rung == 0
    with current_app.connection_for_write() as connection:
        Queue("cpu").bind(connection.default_channel).purge()
    assert sweep.sweep_once().rung == 2
    assert sweep.sweep_once().rung == 0


def test_leases_expire_in_the_sweep():
    study = factories.study()
    factories.pick(factories.region(factories.slide(study)))
    lease = queue.claim(member=factories.member(study))
    Assignment.objects.filter(pk=lease.pk).update(expires_at=clock.now() - timedelta(minutes=1))
    assert sweep.sweep_once().expired == 1
    lease.refresh_from_db()
    assert lease.state == AssignmentState.EXPIRED


def test_the_command_says_what_one_round_did(capsys):
    grow_old(enqueue(factories.study()))
    call_command("sweep", "--once")
    assert capsys.readouterr().out == "0 leases expired, 0 jobs taken from the dead, 1 bells rung.\n"


def test_a_sweep_without_its_database_tries_again(monkeypatch):
    rounds = []

    def fail_once():
        rounds.append(1)
        if len(rounds) == 1:
            raise sweep.Error("the connection is closed")
        return sweep.Swept()

    monkeypatch.setattr(sweep, "sweep_once", fail_once)
    monkeypatch.setattr(sweep, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(sweep.connection, "close", lambda: None)
    sweep.sweep_forever(should_stop=lambda: len(rounds) >= 3)
    assert len(rounds) == 3
