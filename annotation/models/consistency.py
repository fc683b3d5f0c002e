"""Consistency passes and their findings."""

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Coalesce

from annotation.models.region import Region
from annotation.models.study import Membership, Study
from annotation.states import FindingState, PassState, Severity


class ConsistencyPass(models.Model):
    """A run of all rules over the truth as it stood at one ledger position."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="passes")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=20, choices=PassState.choices, default=PassState.RUNNING)
    ledger_position = models.PositiveBigIntegerField()
    ledger_digest = models.CharField(max_length=64)
    rules = models.JSONField(default=dict, help_text="Rule code -> version and thresholds.")
    numbers = models.JSONField(default=dict, help_text="What the canonical consensus and the rules measured.")
    started_by = models.ForeignKey(Membership, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "consistency passes"
        ordering = ["study", "number"]
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="one_pass_per_number")]

    def __str__(self) -> str:
        return f"{self.study.slug} pass {self.number}"


class PassItem(models.Model):
    """What the pass saw: the region's revision at its ledger position. A release takes exactly these."""

    consistency_pass = models.ForeignKey(ConsistencyPass, on_delete=models.CASCADE, related_name="items")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    revision = models.ForeignKey("GroundTruthRevision", on_delete=models.PROTECT, related_name="+")
    posterior = models.JSONField(default=dict, help_text="Canonical consensus: class code -> probability.")
    others = models.JSONField(default=dict, help_text="Other ways to a consensus: method -> [label, confidence].")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["consistency_pass", "region"], name="one_item_per_pass_and_region"),
        ]

    def __str__(self) -> str:
        return str(self.revision)


class Finding(models.Model):
    """Something a rule found. A blocker stands before any release until resolved or waived by a named person."""

    consistency_pass = models.ForeignKey(ConsistencyPass, on_delete=models.CASCADE, related_name="findings")
    rule = models.CharField(max_length=60)
    severity = models.CharField(max_length=10, choices=Severity.choices)
    region = models.ForeignKey(Region, null=True, blank=True, on_delete=models.PROTECT, related_name="findings")
    counterpart = models.ForeignKey(Region, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    subject = models.CharField(max_length=120, blank=True, help_text="What it is about, where not a region.")
    message = models.TextField()
    fix = models.CharField(max_length=40, blank=True)
    data = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=FindingState.choices, default=FindingState.OPEN)
    decided_by = models.ForeignKey(Membership, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)
    waived_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["consistency_pass", "severity", "rule", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["consistency_pass", "rule", "region", "counterpart", "subject"],
                name="one_finding_per_rule_and_subject",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(state="open") | (Q(decided_by__isnull=False) & ~Q(reason="")),
                name="decisions_have_name_and_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["consistency_pass"],
                condition=Q(state="open", severity="blocker"),
                name="finding_blocks",
            ),
            # Looked up by findings.compare: what another pass has found.
            models.Index(
                "consistency_pass",
                "rule",
                Coalesce("region_id", Value(0)),
                Coalesce("counterpart_id", Value(0)),
                name="finding_by_name",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule}: {self.message[:60]}"
