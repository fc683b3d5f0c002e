"""Numbered, immutable versions of a study's classes and guideline, and how classes continue."""

from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property

from annotation.models.study import Membership, Study
from annotation.states import MappingKind


class Protocol(models.Model):
    """A version of the rules. A draft may be edited; once published it never changes."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="protocols")
    number = models.PositiveIntegerField()
    guideline = models.TextField(blank=True)
    summary = models.TextField(blank=True, help_text="What this version changes, and why.")
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(Membership, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["study", "number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="one_protocol_per_number"),
        ]

    def __str__(self) -> str:
        return f"{self.study.slug} v{self.number}"

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """Codes of the classes in their order, special outcomes included; read once, as a published row holds."""
        return tuple(code for code, _ in self._family_names)

    @cached_property
    def parents(self) -> tuple[int, ...]:
        """For each of `codes` the place of its parent, -1 without one; empty where no class has a parent."""
        if not any(parent for _, parent in self._family_names):
            return ()
        place = {code: index for index, code in enumerate(self.codes)}
        return tuple(place.get(parent, -1) for _, parent in self._family_names)

    @cached_property
    def _family_names(self) -> list[tuple[str, str]]:
        return list(self.classes.order_by("position", "code").values_list("code", "parent"))


class LabelClass(models.Model):
    """A class of a protocol, or a special outcome such as "not evaluable"."""

    protocol = models.ForeignKey(Protocol, on_delete=models.CASCADE, related_name="classes")
    code = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    colour = models.CharField(max_length=7)
    key = models.CharField(max_length=1)
    definition = models.TextField(blank=True)
    is_special = models.BooleanField(default=False, help_text="An outcome that is not a class to learn.")
    parent = models.SlugField(
        max_length=60, blank=True, help_text="The class of this protocol that holds where its kinds stay undecided."
    )
    quota = models.PositiveIntegerField(null=True, blank=True, help_text="Settled regions wanted at least.")
    position = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "label classes"
        ordering = ["protocol", "position"]
        constraints = [
            models.UniqueConstraint(fields=["protocol", "code"], name="one_class_per_code"),
            models.UniqueConstraint(fields=["protocol", "key"], condition=~Q(key=""), name="one_class_per_key"),
        ]

    def __str__(self) -> str:
        return self.name


class ClassMapping(models.Model):
    """How a class of the previous protocol continues in `protocol`: a row for each class that a split goes to.

    `target_code` is empty where a class retires and no other takes its regions.
    """

    protocol = models.ForeignKey(Protocol, on_delete=models.CASCADE, related_name="mappings")
    source_code = models.SlugField(max_length=60)
    target_code = models.SlugField(max_length=60, blank=True)
    kind = models.CharField(max_length=20, choices=MappingKind.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["protocol", "source_code", "target_code"], name="one_mapping_per_pair_of_classes"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_code} -> {self.target_code or '-'} ({self.kind})"


class ClassExample(models.Model):
    """A region that managers show to everybody as an example of a class. Its truth is no secret any more."""

    label_class = models.ForeignKey(LabelClass, on_delete=models.CASCADE, related_name="examples")
    region = models.ForeignKey("Region", on_delete=models.CASCADE, related_name="+")
    caption = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["label_class", "id"]
        constraints = [
            models.UniqueConstraint(fields=["label_class", "region"], name="one_example_per_class_and_region"),
        ]

    def __str__(self) -> str:
        return f"{self.region} for {self.label_class}"
