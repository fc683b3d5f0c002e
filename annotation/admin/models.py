"""Models, training sets and their files in the admin; which model is active is services.modelling."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from annotation.admin.base import ReasonForm, Rows, StudyFilter, manager_of, reason_of
from annotation.models import EncoderVersion, FeatureShard, ModelVersion, ScoreFile, TrainingSet
from annotation.services import modelling


@admin.register(ModelVersion)
class ModelVersionAdmin(Rows):
    list_display = ("number", "study", "state", "encoder", "reasons", "audit_looks", "created_at", "activated_at")
    list_filter = (StudyFilter, "state")
    exact_search = ("digest",)
    action_form = ReasonForm
    actions = ("activate",)
    list_select_related = ("study",)

    @admin.display(description="What the gate said")
    def reasons(self, model: ModelVersion) -> str:
        return " ".join(model.gate_reasons)

    @admin.action(description="Make this the active model, with a reason")
    def activate(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        def do(row: ModelVersion) -> str:
            member = manager_of(request, row.study)
            modelling.rollback(study=row.study, model=row, member=member, reason=reason_of(request))
            return f"{row} is active."

        self.act(request, queryset, do)


@admin.register(EncoderVersion)
class EncoderVersionAdmin(Rows):
    list_display = ("number", "study", "name", "digest", "regions", "created_at")
    list_filter = (StudyFilter,)
    exact_search = ("digest",)
    list_select_related = ("study",)

    @admin.display(description="Trained on regions")
    def regions(self, version: EncoderVersion) -> int | None:
        return version.numbers.get("regions")


@admin.register(TrainingSet)
class TrainingSetAdmin(Rows):
    list_display = ("digest", "study", "protocol", "created_at")
    list_filter = (StudyFilter,)
    list_select_related = ("study", "protocol__study")
    # As many numbers as there are settled regions: too long for a page.
    exclude = ("revision_ids",)


@admin.register(FeatureShard)
class FeatureShardAdmin(Rows):
    study_path = "slide__study"
    list_display = ("slide", "encoder_digest", "rows", "checksum")
    list_filter = (StudyFilter,)
    exact_search = ("slide__public_id",)
    list_select_related = ("slide",)


@admin.register(ScoreFile)
class ScoreFileAdmin(Rows):
    study_path = "slide__study"
    list_display = ("slide", "model", "rows")
    list_filter = (StudyFilter,)
    exact_search = ("slide__public_id",)
    list_select_related = ("slide", "model__study")
