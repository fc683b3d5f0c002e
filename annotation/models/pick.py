"""Selection batches and the regions they put into the queue."""

from django.db import models
from django.db.models import F, Q

from annotation.models.region import Region
from annotation.models.study import Study
from annotation.states import PickState, Stratum


class SelectionBatch(models.Model):
    """One draw from the pool; numbered per study."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="batches")
    number = models.PositiveIntegerField()
    strategy = models.CharField(max_length=40)
    model = models.ForeignKey("ModelVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="batches")
    seed = models.BigIntegerField()
    pool_size = models.PositiveBigIntegerField(default=0)
    numbers = models.JSONField(default=dict, help_text="What the draw measured: class shares, quotas, times.")
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "selection batches"
        ordering = ["study", "number"]
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="one_batch_per_number")]

    def __str__(self) -> str:
        return f"{self.study.slug} batch {self.number}"


class Pick(models.Model):
    """A region chosen for the queue, with its reasons. `slots_open` counts the opinions still to be handed out."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="picks")
    batch = models.ForeignKey(SelectionBatch, on_delete=models.CASCADE, related_name="picks")
    batch_number = models.PositiveIntegerField(help_text="Copied from the batch for the queue's index.")
    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="picks")
    rank = models.PositiveIntegerField()
    stratum = models.CharField(max_length=20, choices=Stratum.choices)
    score = models.FloatField(null=True, blank=True)
    parts = models.JSONField(default=dict, blank=True)
    probability = models.FloatField(default=0.0, help_text="Of being selected; 0 where the choice was not random.")
    reason = models.TextField(blank=True)
    state = models.CharField(max_length=20, choices=PickState.choices, default=PickState.OPEN)
    slots_open = models.IntegerField()
    slots_granted = models.PositiveIntegerField(help_text="Opinions asked for so far; never above the overlap.")
    overlap = models.PositiveIntegerField(help_text="At most this many people give an opinion.")
    is_planted_check = models.BooleanField(default=False, help_text="An early stop here gets further blind opinions.")
    early_label = models.SlugField(max_length=60, blank=True, help_text="What a planted check would have settled on.")
    early_answers = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many had answered when a planted check would have settled."
    )
    has_begun = models.BooleanField(default=False, help_text="Someone has answered it.")
    gain = models.FloatField(null=True, blank=True, help_text="What the next answer is worth (`services.worth`).")
    is_deferred = models.BooleanField(default=False, help_text="Begun, and worth less than any new region: waits.")
    skips = models.PositiveIntegerField(default=0)
    note = models.TextField(blank=True, help_text="What a manager tells those who are asked again.")
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["study", "batch_number", "rank"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "region"], name="one_pick_per_batch_and_region"),
            models.UniqueConstraint(
                fields=["region"],
                condition=Q(state__in=["open", "adjudication"]),
                name="one_live_pick_per_region",
            ),
            models.CheckConstraint(condition=Q(slots_open__gte=0), name="slots_open_not_negative"),
            models.CheckConstraint(condition=Q(slots_granted__lte=F("overlap")), name="slots_within_overlap"),
        ]
        indexes = [
            models.Index(
                fields=["study", "is_deferred", "-has_begun", "batch_number", "rank"],
                condition=Q(state="open", slots_open__gt=0),
                name="pick_queue",
            ),
            models.Index(fields=["study", "state"], name="pick_by_state"),
            models.Index(fields=["study", "-id"], condition=~Q(note=""), name="pick_sent_back"),
        ]

    def __str__(self) -> str:
        return f"{self.region} in batch {self.batch_number}"
