"""Settings, URLs, the Celery application, the embedded engines and the runner."""

from project.celery import app as celery_app

__all__ = ["celery_app"]
