"""Releases: immutable, content-addressed datasets cut from a clean pass. Append-only."""

from django.db import models

from annotation.models.consistency import ConsistencyPass
from annotation.models.region import Region
from annotation.models.study import Membership, Study


class Release(models.Model):
    """A frozen dataset. A trigger refuses it while its pass has an open blocker, in any interleaving."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="releases")
    number = models.PositiveIntegerField()
    consistency_pass = models.OneToOneField(ConsistencyPass, on_delete=models.PROTECT, related_name="release")
    manifest_digest = models.CharField(max_length=64)
    stored_name = models.CharField(max_length=200)
    items_count = models.PositiveIntegerField()
    created_by = models.ForeignKey(Membership, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["study", "number"]
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="one_release_per_number")]

    def __str__(self) -> str:
        return f"{self.study.slug} release {self.number}"


class ReleaseItem(models.Model):
    """One region of a release, with the revision it was frozen at and its split."""

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="items")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    revision = models.ForeignKey("GroundTruthRevision", on_delete=models.PROTECT, related_name="+")
    split = models.CharField(max_length=10)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["release", "region"], name="one_item_per_release_and_region")]

    def __str__(self) -> str:
        return f"{self.region} ({self.split})"
