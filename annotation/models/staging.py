"""Slides of a study that is being set up: checked files whose case and domain are still being entered.

The only rows that hold names of files and cases. They are erased when their slides enter the study.
"""

from django.db import models

from annotation.models.study import Study


class StagedSlide(models.Model):
    """A file in the store that decodes, and what a manager says of it. `name` is its path in a slides.csv."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="staged_slides")
    public_id = models.CharField(max_length=20)
    name = models.CharField(max_length=255)
    case = models.CharField(max_length=200, blank=True)
    domain = models.JSONField(default=dict, blank=True, help_text="Column -> value; may still lack some.")
    checksum = models.CharField(max_length=64, help_text="SHA-256 of the file.")
    stored_name = models.CharField(max_length=200, editable=False)
    size_bytes = models.BigIntegerField()
    width = models.PositiveIntegerField(help_text="Level-0 pixels.")
    height = models.PositiveIntegerField(help_text="Level-0 pixels.")
    levels = models.JSONField(default=list)
    um_per_px_x = models.FloatField(null=True, blank=True)
    um_per_px_y = models.FloatField(null=True, blank=True)
    objective = models.FloatField(null=True, blank=True)
    vendor = models.CharField(max_length=40)
    properties = models.JSONField(default=dict)
    tissue = models.BinaryField(help_text="The mask of its tissue: packed bits, compressed.")
    tissue_width = models.PositiveIntegerField()
    tissue_height = models.PositiveIntegerField()
    tissue_share = models.FloatField()

    class Meta:
        ordering = ["study", "name"]
        constraints = [
            models.UniqueConstraint(fields=["study", "checksum"], name="one_staged_slide_per_checksum"),
            models.UniqueConstraint(fields=["study", "name"], name="one_staged_slide_per_name"),
            models.UniqueConstraint(fields=["study", "public_id"], name="one_staged_slide_per_public_id"),
        ]

    def __str__(self) -> str:
        return self.public_id
