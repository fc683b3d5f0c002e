"""Registration of the `annotation` app."""

from django.apps import AppConfig


class AnnotationConfig(AppConfig):
    name = "annotation"
    verbose_name = "Concord"
    default_auto_field = "django.db.models.BigAutoField"
