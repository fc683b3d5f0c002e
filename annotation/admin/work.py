"""Batches, picks, assignments and answers in the admin.

Decides what a page shows; a lease is ended by services.queue, answers are never touched.
"""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from annotation.admin.base import Rows, StudyFilter
from annotation.models import Annotation, Assignment, Draft, PersonalText, Pick, SelectionBatch
from annotation.services import queue


@admin.register(SelectionBatch)
class SelectionBatchAdmin(Rows):
    list_display = ("number", "study", "strategy", "model", "pool_size", "created_at")
    list_filter = (StudyFilter, "strategy")
    list_select_related = ("study", "model__study")


@admin.register(Pick)
class PickAdmin(Rows):
    list_display = ("region", "study", "batch_number", "rank", "stratum", "state", "slots_open", "score", "reason")
    list_filter = (StudyFilter, "state", "stratum", "has_begun")
    exact_search = ("region__public_id",)
    list_select_related = ("region", "study")


@admin.register(Assignment)
class AssignmentAdmin(Rows):
    list_display = ("region", "study", "annotator", "kind", "state", "leased_at", "expires_at", "skip_reason")
    list_filter = (StudyFilter, "state", "kind")
    exact_search = ("region__public_id", "annotator__pseudonym")
    list_select_related = ("region", "study", "annotator")
    # Whoever knows the token can answer in the holder's name.
    exclude = ("token",)
    actions = ("end",)

    @admin.action(description="End the lease: the region goes to others")
    def end(self, request: HttpRequest, queryset: QuerySet[Assignment]) -> None:
        def do(row: Assignment) -> str:
            queue.release(member=row.annotator, token=row.token)
            return f"{row} has ended."

        self.act(request, queryset, do)


@admin.register(Draft)
class DraftAdmin(Rows):
    # A draft is shown to its author only; a superuser may have to find one.
    study_path = "assignment__study"
    is_for_superusers = True
    list_display = ("assignment", "saved_at")
    list_filter = (StudyFilter,)
    list_select_related = ("assignment__region", "assignment__annotator")


@admin.register(Annotation)
class AnnotationAdmin(Rows):
    list_display = (
        "region", "study", "annotator", "number", "assignment_kind", "kind", "label", "is_flagged", "created_at",
    )  # fmt: skip
    list_filter = (StudyFilter, "kind", "assignment_kind", "is_flagged")
    exact_search = ("region__public_id", "annotator__pseudonym")
    list_select_related = ("region", "study", "annotator")
    exclude = ("idempotency_key",)


@admin.register(PersonalText)
class PersonalTextAdmin(Rows):
    study_path = "annotation__study"
    list_display = ("annotation", "text", "erased_at")
    list_filter = (StudyFilter,)
    exclude = ("salt",)
    list_select_related = ("annotation__region", "annotation__annotator")
