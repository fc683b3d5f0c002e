"""Gold: regions whose truth is known beforehand, to check and to qualify annotators."""

from django.db import models

from annotation.models.protocol import Protocol
from annotation.models.region import Region
from annotation.models.study import Membership
from annotation.states import GoldSource


class Gold(models.Model):
    """A region with a known class under `protocol`. No screen or API shows it to an annotator before the answer."""

    region = models.OneToOneField(Region, on_delete=models.CASCADE, related_name="gold")
    protocol = models.ForeignKey(Protocol, on_delete=models.PROTECT, related_name="+")
    label = models.SlugField(max_length=60)
    source = models.CharField(max_length=20, choices=GoldSource.choices)
    is_qualification = models.BooleanField(default=False, help_text="Asked before a person's first real region.")
    added_by = models.ForeignKey(Membership, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "gold"
        ordering = ["region"]

    def __str__(self) -> str:
        return f"{self.region}: {self.label}"
