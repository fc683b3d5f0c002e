"""Acceptance samples: random regions of a pass, answered blind again to measure what is still wrong."""

from django.db import models
from django.db.models import Q

from annotation.models.consistency import ConsistencyPass
from annotation.models.region import Region
from annotation.models.study import Membership, Study
from annotation.states import SampleState


class AcceptanceSample(models.Model):
    """A simple random sample of what a release of `consistency_pass` would hold."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="acceptance_samples")
    number = models.PositiveIntegerField()
    consistency_pass = models.ForeignKey(ConsistencyPass, on_delete=models.PROTECT, related_name="acceptance_samples")
    state = models.CharField(max_length=10, choices=SampleState.choices, default=SampleState.OPEN)
    seed = models.BigIntegerField()
    population = models.PositiveIntegerField(help_text="How many regions it was drawn from.")
    opinions = models.PositiveIntegerField(help_text="How many people answer each region blind.")
    numbers = models.JSONField(default=dict, help_text="The estimate, once closed.")
    started_by = models.ForeignKey(Membership, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["study", "number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="one_sample_per_number"),
            models.UniqueConstraint(fields=["study"], condition=Q(state="open"), name="one_open_sample"),
        ]

    def __str__(self) -> str:
        return f"{self.study.slug} sample {self.number}"


class AcceptanceItem(models.Model):
    """A region of a sample: the label that stood in the pass, and the verdict of fresh eyes, empty until reached."""

    sample = models.ForeignKey(AcceptanceSample, on_delete=models.CASCADE, related_name="items")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    revision = models.ForeignKey("GroundTruthRevision", on_delete=models.PROTECT, related_name="+")
    label = models.SlugField(max_length=60, help_text="Under the protocol of the pass.")
    slots_open = models.PositiveIntegerField()
    needs_adjudication = models.BooleanField(default=False)
    verdict = models.SlugField(max_length=60, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sample", "region"], name="one_item_per_sample_and_region"),
            models.CheckConstraint(condition=Q(slots_open__gte=0), name="sample_slots_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.region}: {self.label}"
