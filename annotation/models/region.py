"""Regions: the units of assignment, and what simulations know about them."""

from django.db import models
from django.db.models import Q

from annotation.models.slide import Slide
from annotation.models.study import Study
from annotation.querysets import RegionQuerySet
from annotation.states import AuditHalf, RegionState


class Region(models.Model):
    """A rectangle of a slide in level-0 pixels, origin top left."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="regions")
    slide = models.ForeignKey(Slide, on_delete=models.CASCADE, related_name="regions")
    public_id = models.CharField(max_length=20)
    index = models.PositiveIntegerField(help_text="Row of the slide's feature shard, from 0.")
    x = models.PositiveIntegerField()
    y = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    pixel_digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the pixels.")
    audit_half = models.CharField(max_length=10, choices=AuditHalf.choices, default=AuditHalf.NONE, blank=True)
    state = models.CharField(max_length=20, choices=RegionState.choices, default=RegionState.POOL)
    current_revision = models.ForeignKey(
        "GroundTruthRevision", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = RegionQuerySet.as_manager()

    class Meta:
        ordering = ["slide", "index"]
        constraints = [
            models.UniqueConstraint(fields=["slide", "x", "y", "width", "height"], name="one_region_per_rectangle"),
            models.UniqueConstraint(fields=["slide", "index"], name="one_region_per_index"),
            models.UniqueConstraint(fields=["study", "public_id"], name="one_region_per_public_id"),
            models.CheckConstraint(condition=Q(width__gt=0, height__gt=0), name="region_has_area"),
        ]
        indexes = [
            models.Index(fields=["study", "state"], name="region_by_state"),
            models.Index(
                fields=["study", "audit_half", "public_id"],
                condition=Q(state="pool") & ~Q(audit_half=""),
                name="region_audit_pool",
            ),
            # The dashboard counts what has been worked on; the pool is most of a large study and stays out of it.
            models.Index(
                fields=["study", "slide", "state", "current_revision"],
                condition=~Q(state="pool"),
                name="region_worked",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class KnownTruth(models.Model):
    """What a region really is: for simulated annotators. No screen or API shows it to an annotator."""

    region = models.OneToOneField(Region, on_delete=models.CASCADE, related_name="known_truth")
    label = models.SlugField(max_length=60)
    borderline = models.SlugField(max_length=60, blank=True, help_text="The other class, where the cell lies between.")

    class Meta:
        verbose_name_plural = "known truths"

    def __str__(self) -> str:
        return self.label


class RecordedVote(models.Model):
    """A real, recorded opinion from `votes.csv`, for replays."""

    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="recorded_votes")
    annotator = models.CharField(max_length=64, help_text="Keyed digest of the annotator's name.")
    label = models.SlugField(max_length=60)
    seconds = models.FloatField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["region", "annotator"], name="one_vote_per_region_and_annotator"),
        ]

    def __str__(self) -> str:
        return f"{self.annotator}: {self.label}"
