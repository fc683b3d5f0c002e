"""Training sets, model versions, and the files of features and scores made with them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from annotation.models.protocol import Protocol
from annotation.models.slide import Slide
from annotation.models.study import Study
from annotation.states import ModelState


class TrainingSet(models.Model):
    """A frozen list of revisions with a digest."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="training_sets")
    digest = models.CharField(max_length=64)
    revision_ids = ArrayField(models.BigIntegerField())
    protocol = models.ForeignKey(Protocol, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "digest"], name="one_training_set_per_digest")]

    def __str__(self) -> str:
        return f"{len(self.revision_ids)} revisions, {self.digest[:10]}"


class EncoderVersion(models.Model):
    """A network trained on a study's own regions, under the digest of what it makes of pixels.

    Whether it is used is said by the models: the next one is trained on the features of the active model's encoder.
    """

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="encoders")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    weights = models.CharField(max_length=64, help_text="SHA-256 of the file of weights.")
    beside = models.CharField(max_length=64, help_text="Digest of the encoder whose features stand before its own.")
    training_set = models.ForeignKey(TrainingSet, on_delete=models.PROTECT, related_name="encoders")
    seen_cases = models.JSONField(help_text="Codes of the cases whose labels it has learned from.")
    numbers = models.JSONField(default=dict, help_text="Regions, seconds, settings.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["study", "number"]
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="one_encoder_per_number")]

    def __str__(self) -> str:
        return f"{self.study.slug} encoder {self.number}"


class ModelVersion(models.Model):
    """Encoder, ensemble and calibration under the digest of their bytes."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="models")
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=20, choices=ModelState.choices, default=ModelState.CANDIDATE)
    training_set = models.ForeignKey(TrainingSet, on_delete=models.PROTECT, related_name="models")
    configuration_digest = models.CharField(max_length=64)
    encoder = models.CharField(max_length=200)
    encoder_digest = models.CharField(max_length=64)
    class_codes = models.JSONField()
    numbers = models.JSONField(default=dict, help_text="Out-of-fold and audit metrics.")
    gate_reasons = models.JSONField(default=list)
    audit_looks = models.PositiveIntegerField(default=0, help_text="Looks at the gate half, up to this model.")
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["study", "number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="one_model_per_number"),
            models.UniqueConstraint(
                fields=["study", "training_set", "configuration_digest"], name="one_model_per_training_set"
            ),
            models.UniqueConstraint(fields=["study"], condition=Q(state="active"), name="one_active_model"),
        ]

    def __str__(self) -> str:
        return f"{self.study.slug} model {self.number}"


class FeatureShard(models.Model):
    """A write-once file of one slide's features, float16 (regions, dimensions)."""

    slide = models.ForeignKey(Slide, on_delete=models.CASCADE, related_name="feature_shards")
    tiling_digest = models.CharField(max_length=64)
    encoder_digest = models.CharField(max_length=64)
    stored_name = models.CharField(max_length=200)
    checksum = models.CharField(max_length=64)
    rows = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["slide", "tiling_digest", "encoder_digest"], name="one_shard_per_slide_and_encoder"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slide} x {self.rows}"


class ScoreFile(models.Model):
    """The scores of all regions of one slide under one model version."""

    model = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="score_files")
    slide = models.ForeignKey(Slide, on_delete=models.CASCADE, related_name="score_files")
    stored_name = models.CharField(max_length=200)
    rows = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "slide"], name="one_score_file_per_model_and_slide")]

    def __str__(self) -> str:
        return f"{self.slide} under {self.model}"
