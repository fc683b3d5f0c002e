"""Slides, the cases they belong to and the domains they come from. No file or case name is stored."""

from django.db import models

from annotation.models.study import Study
from annotation.states import AuditHalf, SlideState


class Case(models.Model):
    """A patient or specimen under an opaque code; whole cases are drawn into the audit sample."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="cases")
    code = models.CharField(max_length=20, help_text="Keyed digest of the case's name.")
    audit_half = models.CharField(max_length=10, choices=AuditHalf.choices, default=AuditHalf.NONE, blank=True)

    class Meta:
        ordering = ["study", "code"]
        constraints = [models.UniqueConstraint(fields=["study", "code"], name="one_case_per_code")]

    def __str__(self) -> str:
        return self.code


class Domain(models.Model):
    """A source of variation: one combination of the values (lab, scanner, ...) that the study declares."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="domain_rows")
    name = models.CharField(max_length=200, help_text="The values joined by ' / '.")
    values = models.JSONField(default=dict)

    class Meta:
        ordering = ["study", "name"]
        constraints = [models.UniqueConstraint(fields=["study", "name"], name="one_domain_per_name")]

    def __str__(self) -> str:
        return self.name


class Slide(models.Model):
    """An image file, shown under an opaque id. The bytes lie in the store under their checksum."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="slides")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="slides")
    domain = models.ForeignKey(Domain, on_delete=models.PROTECT, related_name="slides")
    public_id = models.CharField(max_length=20)
    checksum = models.CharField(max_length=64, help_text="SHA-256 of the file.")
    stored_name = models.CharField(max_length=200, editable=False)
    size_bytes = models.BigIntegerField()
    width = models.PositiveIntegerField(help_text="Level-0 pixels.")
    height = models.PositiveIntegerField(help_text="Level-0 pixels.")
    levels = models.JSONField(default=list, help_text="[[width, height, downsample], ...]")
    um_per_px_x = models.FloatField(null=True, blank=True)
    um_per_px_y = models.FloatField(null=True, blank=True)
    objective = models.FloatField(null=True, blank=True)
    vendor = models.CharField(max_length=40)
    properties = models.JSONField(default=dict, help_text="Those of an allow-list.")
    state = models.CharField(max_length=20, choices=SlideState.choices, default=SlideState.REGISTERED)
    failure = models.TextField(blank=True)
    tissue_share = models.FloatField(null=True, blank=True)
    tiling_digest = models.CharField(max_length=64, blank=True)
    region_count = models.PositiveIntegerField(default=0)
    registered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["study", "public_id"]
        constraints = [
            models.UniqueConstraint(fields=["study", "checksum"], name="one_slide_per_checksum"),
            models.UniqueConstraint(fields=["study", "public_id"], name="one_slide_per_public_id"),
        ]

    def __str__(self) -> str:
        return self.public_id
