"""Studies and their members."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from annotation.errors import BadInput, Conflict
from annotation.models import opaque
from annotation.policy import Policy
from annotation.querysets import StudyQuerySet
from annotation.states import Role, StudyState, Task

if TYPE_CHECKING:
    from annotation.models.protocol import Protocol


class Study(models.Model):
    """One labelling effort: protocol, slides, members, policy, state."""

    slug = models.SlugField(unique=True, max_length=60)
    name = models.CharField(max_length=200)
    task = models.CharField(max_length=20, choices=Task.choices, default=Task.CLASSIFY)
    state = models.CharField(max_length=20, choices=StudyState.choices, default=StudyState.DRAFT)
    seed = models.BigIntegerField(default=0)
    secret = models.CharField(max_length=64, default=opaque.secret, editable=False)
    domains = models.JSONField(default=list, blank=True, help_text="Names of the domain columns, in order.")
    region_width = models.PositiveIntegerField(
        default=256, help_text="Level-0 pixels, or pixels at `region_um_per_px`."
    )
    region_height = models.PositiveIntegerField(default=256)
    region_um_per_px = models.FloatField(null=True, blank=True, help_text="Requested pixel size; empty: level 0.")
    policy_values = models.JSONField(default=dict, blank=True, help_text="What differs from the default policy.")
    protocol = models.ForeignKey("Protocol", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    checklist = models.JSONField(
        default=dict, blank=True, help_text="How the data set was planned, question by question."
    )
    rule_values = models.JSONField(
        default=dict, blank=True, help_text="What differs from the rules' defaults: rule -> severity and thresholds."
    )
    publication = models.JSONField(
        default=dict, blank=True, help_text="What a release says of itself: licence, citation, creators, address."
    )
    is_simulation = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = StudyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "studies"
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name

    @property
    def policy(self) -> Policy:
        return Policy.parse(self.policy_values)

    @property
    def current_protocol(self) -> "Protocol":
        """The published rules in force; Conflict where none have been published."""
        if self.protocol is None:
            raise Conflict("The study has no published protocol: publish one before work begins.")
        return self.protocol

    def opaque_id(self, *parts: object) -> str:
        """A public name for `parts` that cannot be linked back without the study's secret."""
        return opaque.public_id(self.secret, *parts)

    def clean(self) -> None:

        try:
            Policy.accept(self.policy_values or {})
        except BadInput as error:
            raise ValidationError({"policy_values": error.message}) from error


class Membership(models.Model):
    """A person's role in a study. `pseudonym` stands for the person in ledger, releases and reports."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.ANNOTATOR)
    pseudonym = models.CharField(max_length=20, editable=False)
    is_active = models.BooleanField(default=True)
    is_trained = models.BooleanField(default=False, help_text="Has finished the training that the checklist describes.")
    joined_at = models.DateTimeField(auto_now_add=True)
    qualified_at = models.DateTimeField(null=True, blank=True, help_text="When the qualification set was passed.")
    qualification_tries = models.PositiveSmallIntegerField(
        default=1, help_text="How often this person may take the qualification set."
    )
    erased_at = models.DateTimeField(null=True, blank=True, help_text="When name and personal text were erased.")

    class Meta:
        ordering = ["study", "id"]
        constraints = [
            models.UniqueConstraint(fields=["study", "user"], name="one_membership_per_person"),
            models.UniqueConstraint(fields=["study", "pseudonym"], name="one_pseudonym_per_member"),
        ]

    def __str__(self) -> str:
        return f"{self.pseudonym} ({self.role})"

    @property
    def shown_name(self) -> str:
        """The user name as managers of this study see it: none of somebody who was erased."""
        return f"erased person {self.pseudonym}" if self.erased_at else self.user.get_username()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self.pseudonym:
            # Member rows are never reused, so counting them gives a name nobody else has had.
            self.pseudonym = f"A{Membership.objects.filter(study=self.study).count() + 1}"
        super().save(*args, **kwargs)
