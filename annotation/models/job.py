"""Background work as rows: the message that wakes a worker is only a nudge."""

from django.db import models
from django.db.models import Q

from annotation.models.study import Study
from annotation.states import JobKind, JobState


class Job(models.Model):
    """One unit of background work. `attempt` is its fencing token: only the newest attempt may finish it."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=30, choices=JobKind.choices)
    key = models.CharField(max_length=200, help_text="Natural key: the same work is never queued twice.")
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=20, choices=JobState.choices, default=JobState.READY)
    attempt = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=3)
    worker = models.CharField(max_length=100, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    rung_at = models.DateTimeField(null=True, blank=True, help_text="When a message for it was last sent.")
    done_units = models.PositiveBigIntegerField(default=0)
    total_units = models.PositiveBigIntegerField(default=0)
    error = models.TextField(blank=True)
    result = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["study", "kind", "key"], name="one_job_per_key")]
        indexes = [
            models.Index(fields=["state", "rung_at"], condition=Q(state__in=["ready", "running"]), name="job_live"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"

    @property
    def seconds_left(self) -> int | None:
        """How long a running job still takes if it goes on at its mean speed so far; None where that is not known."""
        if self.state != JobState.RUNNING or not (self.done_units and self.started_at and self.heartbeat_at):
            return None
        spent = (self.heartbeat_at - self.started_at).total_seconds()
        left = max(0, self.total_units - self.done_units)
        return round(spent * left / self.done_units)


class WorkerStamp(models.Model):
    """When a queue last proved that a worker reads it."""

    queue = models.CharField(max_length=40, primary_key=True)
    seen_at = models.DateTimeField()
    worker = models.CharField(max_length=100, blank=True)

    def __str__(self) -> str:
        return f"{self.queue} at {self.seen_at:%H:%M:%S}"
