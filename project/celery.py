"""The Celery application: decides how messages travel, and refuses to know any task."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

app = Celery("concord")
app.config_from_object("django.conf:settings", namespace="CELERY")
