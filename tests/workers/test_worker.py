"""A real worker on the real Redis, killed with -9 in the middle of its work."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from annotation.models import FeatureShard, Job, Slide, WorkerStamp
from annotation.states import JobKind, JobState
from tests import factories
from tests.workers import smears
from workers import schedule, sweep

REPOSITORY = Path(__file__).resolve().parents[2]
RECOVERY_SECONDS = 30


@pytest.fixture
def worker(committed, tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "STORE", tmp_path / "store")
    database = connection.settings_dict
    url = f"postgresql://{database['USER']}@/{database['NAME']}?host={quote(str(database['HOST']), safe='')}"
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    (tmp_path / "worker_settings.py").write_text(
        "from tests.settings import *\n"
        f"CELERY_BROKER_TRANSPORT_OPTIONS['global_keyprefix'] = {prefix!r}\n"
        f"STORE = Path({str(tmp_path / 'store')!r})\n"
    )
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "worker_settings",
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{REPOSITORY}",
        "DATABASE_URL": url,
    }
    started = []

    def start():
        command = ["-m", "celery", "-A", "project", "worker", "-Q", "io,cpu", "-c", "1", "--loglevel", "WARNING"]
        with (tmp_path / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *command, "--without-gossip", "--without-mingle"],
                cwd=REPOSITORY,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)


def wait_until(condition, *, seconds, what, every=0.25):
    deadline, swept = time.monotonic() + seconds, 0.0
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        if time.monotonic() - swept > 0.25:
            sweep.sweep_once()
            swept = time.monotonic()
        time.sleep(every)
    states = list(Job.objects.values_list("kind", "state", "attempt", "error"))
    raise AssertionError(f"{what} within {seconds} s; the jobs are {states}")


def embedding():
    return Job.objects.filter(kind=JobKind.EMBED_SLIDE).first()


def busy_embedding(attempt):
    job = embedding()
    return job if job and job.attempt == attempt and job.state == JobState.RUNNING and job.done_units else None


@pytest.mark.parametrize("victim", ["the worker's child", "the whole worker"])
def test_killed_work_runs_again_and_is_done_once(worker, victim):
    study = factories.study(state="draft", region_width=64, region_height=64)
    smears.add_slide(study, seed=1, columns=40, rows=40)
    process = worker()
    job = wait_until(lambda: busy_embedding(1), seconds=60, what="the embedding should run", every=0.01)
    if victim == "the whole worker":
        os.killpg(process.pid, signal.SIGKILL)
        worker()
    else:
        os.kill(int(job.worker.rpartition(":")[2]), signal.SIGKILL)
    wait_until(lambda: embedding().attempt == 2, seconds=RECOVERY_SECONDS, what="the work should run again")
    wait_until(lambda: embedding().state == JobState.DONE, seconds=60, what="the work should be done")
    assert FeatureShard.objects.get().rows == Slide.objects.get().region_count == 1600
    assert not Job.objects.exclude(state=JobState.DONE).exists()


def test_a_stamp_proves_that_a_worker_reads_its_queue(worker):
    worker()
    from celery import current_app

    for queue in ("io", "cpu"):
        current_app.send_task(schedule.STAMP, args=[queue], queue=queue)
    wait_until(lambda: WorkerStamp.objects.count() == 2, seconds=30, what="both queues should be stamped")
