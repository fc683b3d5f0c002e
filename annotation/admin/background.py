"""Background work in the admin: what waits, runs and failed; an ended job can be asked for again."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from annotation.admin.base import Rows, StudyFilter
from annotation.models import Job, WorkerStamp
from annotation.services import jobs


@admin.register(Job)
class JobAdmin(Rows):
    list_display = (
        "kind", "key", "study", "state", "attempt", "done_units", "total_units", "seconds_left", "worker", "error"
    )  # fmt: skip
    list_filter = (StudyFilter, "state", "kind")
    exact_search = ("key",)
    actions = ("retry",)

    @admin.action(description="Run again")
    def retry(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        def do(row: Job) -> str:
            again = jobs.retry(job=row)
            return f"{again} is {again.state}."

        self.act(request, queryset, do)


@admin.register(WorkerStamp)
class WorkerStampAdmin(Rows):
    # Belongs to no study.
    is_for_superusers = True
    ordering = ("queue",)
    list_display = ("queue", "seen_at", "worker")
    list_select_related = False
