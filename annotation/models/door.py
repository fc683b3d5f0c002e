"""Failed tries at signing in, counted in the database so that every web process knows them."""

from django.db import models


class FailedSignIn(models.Model):
    """One wrong password. Name and address are kept as keyed digests: enough to count, not to read."""

    address = models.CharField(max_length=64)
    name_and_address = models.CharField(max_length=64)
    failed_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["address", "failed_at"], name="failed_by_address"),
            models.Index(fields=["name_and_address", "failed_at"], name="failed_by_name_and_address"),
        ]

    def __str__(self) -> str:
        return f"failed at {self.failed_at:%Y-%m-%d %H:%M}"
