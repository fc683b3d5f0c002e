"""The ledger in the admin: its entries, heads and anchors, and a check of a whole chain."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from annotation import chain
from annotation.admin.base import Rows, StudyFilter
from annotation.errors import Conflict
from annotation.models import LedgerAnchor, LedgerEntry, LedgerHead
from annotation.services import ledger


@admin.register(LedgerEntry)
class LedgerEntryAdmin(Rows):
    list_display = ("position", "study", "kind", "digest", "created_at")
    list_filter = (StudyFilter, "kind")
    exact_search = ("digest",)


@admin.register(LedgerHead)
class LedgerHeadAdmin(Rows):
    list_display = ("study", "position", "digest")
    list_filter = (StudyFilter,)
    actions = ("verify",)

    @admin.action(description="Verify the chain against rows and anchors")
    def verify(self, request: HttpRequest, queryset: QuerySet[LedgerHead]) -> None:
        def do(row: LedgerHead) -> str:
            noted = LedgerAnchor.objects.filter(study=row.study).order_by("position")
            anchors = [chain.Anchor(position=one.position, digest=one.digest) for one in noted]
            found = ledger.verify(row.study, anchors=anchors)
            if not found.ok:
                raise Conflict(" ".join(found.problems[:3]))
            return f"{row.study}: {found.entries} entries fit. Compare the head with a copy kept outside."

        self.act(request, queryset, do)


@admin.register(LedgerAnchor)
class LedgerAnchorAdmin(Rows):
    list_display = ("study", "position", "digest", "place", "created_at")
    list_filter = (StudyFilter,)
