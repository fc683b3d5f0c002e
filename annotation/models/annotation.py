"""Answers, append-only, and the personal text that is held apart from them."""

from typing import Any

from django.db import models
from django.db.models import Q

from annotation import canonical
from annotation.models.assignment import Assignment
from annotation.models.protocol import Protocol
from annotation.models.region import Region
from annotation.models.study import Membership, Study
from annotation.states import AnswerKind, AssignmentKind


class Annotation(models.Model):
    """One annotator's answer. Never changed: a correction is a new row that names its parent.

    The database refuses UPDATE, DELETE and TRUNCATE. Known outside by (region, annotator, number).
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="annotations")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="annotations")
    annotator = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="annotations")
    number = models.PositiveIntegerField(help_text="Counts this annotator's answers for this region, from 1.")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="corrections")
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="annotations")
    assignment_kind = models.CharField(max_length=20, choices=AssignmentKind.choices)
    protocol = models.ForeignKey(Protocol, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=AnswerKind.choices)
    answer = models.JSONField(null=True, help_text="Canonical answer; empty where withdrawn.")
    label = models.SlugField(max_length=60, blank=True, help_text="The class, for whole-region answers.")
    seconds = models.FloatField(null=True, blank=True, help_text="Time on the region, as the client measured it.")
    is_flagged = models.BooleanField(default=False)
    suggestion = models.SlugField(max_length=60, blank=True, help_text="The class that was suggested, if any.")
    comment_digest = models.CharField(max_length=64, blank=True, help_text="Salted SHA-256 of the comment.")
    idempotency_key = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["region", "annotator", "number"], name="one_answer_per_number"),
            models.UniqueConstraint(fields=["annotator", "idempotency_key"], name="one_answer_per_idempotency_key"),
            models.UniqueConstraint(fields=["parent"], condition=Q(parent__isnull=False), name="one_correction"),
        ]
        indexes = [
            models.Index(fields=["study", "region"], name="annotation_by_region"),
            models.Index(fields=["study", "created_at"], name="annotation_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.annotator.pseudonym} on {self.region}: {self.label or self.kind}"

    def content(self) -> dict[str, Any]:
        """Everything the ledger vouches for, free of keys that another database would number differently."""
        return {
            "row": "annotation",
            "region": self.region.public_id,
            "annotator": self.annotator.pseudonym,
            "number": self.number,
            "corrects": self.parent.number if self.parent else None,
            "assignment_kind": self.assignment_kind,
            "protocol": self.protocol.number,
            "kind": self.kind,
            "answer": self.answer,
            "label": self.label,
            "seconds": None if self.seconds is None else canonical.rounded(self.seconds, 3),
            "flagged": self.is_flagged,
            "suggestion": self.suggestion,
            "comment": self.comment_digest,
            "at": self.created_at.isoformat(),
        }


class PersonalText(models.Model):
    """The words of a comment and their salt; erasing them leaves the ledger valid."""

    annotation = models.OneToOneField(Annotation, on_delete=models.PROTECT, related_name="personal_text")
    salt = models.CharField(max_length=64)
    text = models.TextField(blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return "erased" if self.erased_at else self.text[:40]
