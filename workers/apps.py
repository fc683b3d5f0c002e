"""Registration of the `workers` app: connects the listeners that ring the bell."""

from django.apps import AppConfig


class WorkersConfig(AppConfig):
    name = "workers"

    def ready(self) -> None:
        # Not before the apps are ready: both reach models.
        from celery import current_app  # noqa: PLC0415

        from workers import receivers  # noqa: PLC0415

        # Celery's current application is the importing thread's own; other threads need it as well.
        current_app.set_default()
        receivers.connect()
