"""What beat sends, and that every kind of job has a task, a queue and sane limits."""

import subprocess
import sys

import pytest
from celery import current_app
from django.conf import settings

from annotation.models import WorkerStamp
from annotation.states import JobKind
from workers import catalogue, schedule, tasks


def test_every_kind_of_job_has_an_entry_a_step_and_a_task():
    import importlib

    assert set(catalogue.ENTRIES) == set(JobKind)
    for kind, entry in catalogue.ENTRIES.items():
        assert callable(importlib.import_module(f"workers.steps.{entry.step}").run)
        assert tasks.JOB_TASKS[kind].name == entry.task
        assert entry.queue in catalogue.QUEUES


def test_limits_lie_in_one_chain_below_the_visibility_timeout():
    visibility = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    for entry in catalogue.ENTRIES.values():
        assert entry.soft_seconds < entry.hard_seconds < visibility
        task = tasks.JOB_TASKS[entry.kind]
        assert (task.soft_time_limit, task.time_limit) == (entry.soft_seconds, entry.hard_seconds)
        assert task.acks_late and task.reject_on_worker_lost and task.ignore_result


def test_beat_sends_a_tick_and_a_stamp_for_each_queue_and_old_ones_expire():
    entries = current_app.conf.beat_schedule
    assert entries.keys() == {"tick", *(f"stamp-{queue}" for queue in catalogue.QUEUES)}
    for entry in entries.values():
        assert entry["task"] in current_app.tasks
        assert entry["options"]["expires"] <= 10


@pytest.mark.django_db
def test_a_queue_has_one_stamp():
    schedule.stamp("train")
    first = WorkerStamp.objects.get().seen_at
    schedule.stamp("train")
    assert WorkerStamp.objects.get().seen_at > first


def test_a_worker_starts_without_the_heavy_libraries():
    code = (
        "import django, os, sys; os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'project.settings'); "
        "django.setup(); import workers.tasks; "
        "print([name for name in ('torch', 'sklearn', 'skimage', 'onnxruntime') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
