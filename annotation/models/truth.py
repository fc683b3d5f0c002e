"""Ground-truth revisions and the stored confusion matrices they were computed with."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from annotation.models.protocol import Protocol
from annotation.models.region import Region
from annotation.models.study import Membership, Study
from annotation.states import Method


class ReliabilitySnapshot(models.Model):
    """Confusion matrices of all annotators at one moment; a submit computes its posterior from the newest."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="reliability_snapshots")
    number = models.PositiveIntegerField()
    protocol = models.ForeignKey(Protocol, on_delete=models.PROTECT, related_name="+")
    class_codes = models.JSONField()
    prior = models.JSONField(help_text="Share of each class, (K,).")
    confusion = models.JSONField(help_text="Pseudonym -> (K, K) rows: truth, columns: answer.")
    reliability = models.JSONField(default=dict, help_text="Pseudonym -> per class, with intervals.")
    answers = models.PositiveIntegerField(help_text="How many answers the fit rests on.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["study", "number"]
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="one_snapshot_per_number")]

    def __str__(self) -> str:
        return f"{self.study.slug} reliability {self.number}"


class ConfusionMatrix(models.Model):
    """One annotator's matrix of the newest snapshot under a protocol, by itself: what a submit looks up.

    A trigger of the database writes these rows with each snapshot and drops those of the one before.
    """

    snapshot = models.ForeignKey(ReliabilitySnapshot, on_delete=models.CASCADE, related_name="matrices")
    pseudonym = models.CharField(max_length=20)
    rows = models.JSONField(help_text="(K, K) rows: truth, columns: answer.")
    is_drifting = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "confusion matrices"
        constraints = [
            models.UniqueConstraint(fields=["snapshot", "pseudonym"], name="one_matrix_per_snapshot_and_person"),
        ]

    def __str__(self) -> str:
        return f"{self.snapshot}: {self.pseudonym}"


class GroundTruthRevision(models.Model):
    """The numbered decision for a region, append-only; the database refuses any change.

    Written when the label or the settled state changes. `is_settled` False: the region is open again.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="revisions")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    is_settled = models.BooleanField()
    is_excluded = models.BooleanField(default=False)
    answer = models.JSONField(null=True)
    label = models.SlugField(max_length=60, blank=True)
    confidence = models.FloatField(null=True, blank=True)
    posterior = models.JSONField(default=dict, help_text="Class code -> probability: the soft label.")
    method = models.CharField(max_length=20, choices=Method.choices)
    annotation_ids = ArrayField(models.BigIntegerField(), default=list)
    evidence = models.JSONField(default=list, help_text="The same answers as [[pseudonym, number], ...].")
    protocol = models.ForeignKey(Protocol, on_delete=models.PROTECT, related_name="+")
    snapshot = models.ForeignKey(ReliabilitySnapshot, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    actor = models.ForeignKey(Membership, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["region", "number"]
        constraints = [
            models.UniqueConstraint(fields=["region", "number"], name="one_revision_per_number"),
            models.CheckConstraint(condition=Q(number__gte=1), name="revision_numbers_from_one"),
        ]
        indexes = [
            models.Index(fields=["study", "id"], name="revision_by_study"),
            models.Index(fields=["study", "created_at"], name="revision_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.region} r{self.number}: {self.label or 'open'}"

    def content(self) -> dict[str, Any]:
        """Everything the ledger vouches for, free of keys that another database would number differently."""
        return {
            "row": "revision",
            "region": self.region.public_id,
            "number": self.number,
            "settled": self.is_settled,
            "excluded": self.is_excluded,
            "answer": self.answer,
            "label": self.label,
            "confidence": self.confidence,
            "posterior": self.posterior,
            "method": self.method,
            "evidence": self.evidence,
            "protocol": self.protocol.number,
            "snapshot": self.snapshot.number if self.snapshot else None,
            "actor": self.actor.pseudonym if self.actor else None,
            "reason": self.reason,
            "at": self.created_at.isoformat(),
        }
