"""Ground-truth revisions and reliability snapshots in the admin: append-only, so nothing but looking."""

from django.contrib import admin

from annotation.admin.base import Rows, StudyFilter
from annotation.models import ConfusionMatrix, GroundTruthRevision, ReliabilitySnapshot


@admin.register(GroundTruthRevision)
class RevisionAdmin(Rows):
    list_display = (
        "region", "study", "number", "label", "confidence", "method", "is_settled", "is_excluded", "actor",
        "created_at",
    )  # fmt: skip
    list_filter = (StudyFilter, "method", "is_settled", "is_excluded")
    exact_search = ("region__public_id",)
    list_select_related = ("region", "study", "actor")


@admin.register(ReliabilitySnapshot)
class SnapshotAdmin(Rows):
    list_display = ("number", "study", "protocol", "answers", "created_at")
    list_filter = (StudyFilter,)
    list_select_related = ("study", "protocol__study")


@admin.register(ConfusionMatrix)
class ConfusionMatrixAdmin(Rows):
    study_path = "snapshot__study"
    list_display = ("snapshot", "pseudonym", "is_drifting")
    list_filter = (StudyFilter, "is_drifting")
    list_select_related = ("snapshot__study",)
