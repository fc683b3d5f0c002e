"""Leases of regions to annotators, and the drafts of answers that came too late."""

from django.db import models
from django.db.models import Q

from annotation.models import opaque
from annotation.models.pick import Pick
from annotation.models.region import Region
from annotation.models.study import Membership, Study
from annotation.states import AssignmentKind, AssignmentState


class Assignment(models.Model):
    """A lease of a region to one annotator; only the holder of `token` may write, until it ends."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="assignments")
    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="assignments")
    annotator = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="assignments")
    pick = models.ForeignKey(Pick, null=True, blank=True, on_delete=models.PROTECT, related_name="assignments")
    kind = models.CharField(max_length=20, choices=AssignmentKind.choices, default=AssignmentKind.LABEL)
    state = models.CharField(max_length=20, choices=AssignmentState.choices, default=AssignmentState.LEASED)
    token = models.CharField(max_length=40, unique=True, default=opaque.token)
    leased_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    skip_reason = models.CharField(max_length=200, blank=True)
    suggestion = models.SlugField(max_length=60, blank=True, help_text="The class suggested, where one was shown.")
    suggestion_is_planted = models.BooleanField(
        default=False, help_text="The suggestion is wrong on purpose, to measure how far suggestions sway people."
    )
    withdrawal = models.OneToOneField(
        "annotation.Annotation",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="lease_again",
        help_text="Taking an answer back gave its author this lease.",
    )
    entered = models.JSONField(null=True, blank=True, help_text="What is being entered, saved as it is typed.")
    entered_version = models.PositiveIntegerField(
        default=0, help_text="Counts the savings: two tabs notice each other."
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["region", "annotator"], condition=Q(state="leased"), name="one_live_lease"),
            models.UniqueConstraint(
                fields=["pick"],
                condition=Q(state="leased", kind="adjudicate"),
                name="one_adjudicator_at_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(state="leased"), name="assignment_expiry"),
            models.Index(fields=["annotator", "-id"], name="assignment_by_annotator"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.region} by {self.annotator}"


class Draft(models.Model):
    """What an annotator had entered when the lease was lost; shown to its author only."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="drafts")
    content = models.JSONField()
    saved_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"draft of {self.assignment}"
