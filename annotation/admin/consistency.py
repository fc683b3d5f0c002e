"""Consistency passes, findings and releases in the admin: decide with a reason, cut a release.

Decides what a page shows; what a fix does and when a pass may be frozen is the services' matter.
"""

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from annotation.admin.base import ReasonForm, Rows, StudyFilter, manager_of, reason_of
from annotation.models import (
    AcceptanceItem,
    AcceptanceSample,
    ConsistencyPass,
    Finding,
    PassItem,
    Release,
    ReleaseItem,
)
from annotation.rules import Fix
from annotation.selectors import consistency
from annotation.services import findings, releases

FIXES = [("", "the fix offered"), *((fix.value, fix.value) for fix in Fix if fix and fix != Fix.WAIVE)]


class FixForm(ReasonForm):
    fix = forms.ChoiceField(choices=FIXES, required=False)


@admin.register(ConsistencyPass)
class ConsistencyPassAdmin(Rows):
    list_display = (
        "number", "study", "state", "ledger_position", "blockers", "warnings", "started_by", "created_at",
    )  # fmt: skip
    list_filter = (StudyFilter, "state")
    list_select_related = ("study", "started_by")
    actions = ("freeze",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConsistencyPass]:
        return consistency.with_open_findings(super().get_queryset(request))

    @admin.display(description="Open blockers")
    def blockers(self, row: ConsistencyPass) -> int:
        return row.open_blockers  # type: ignore[attr-defined]

    @admin.display(description="Open warnings")
    def warnings(self, row: ConsistencyPass) -> int:
        return row.open_warnings  # type: ignore[attr-defined]

    @admin.action(description="Cut a release")
    def freeze(self, request: HttpRequest, queryset: QuerySet[ConsistencyPass]) -> None:
        def do(row: ConsistencyPass) -> str:
            member = manager_of(request, row.study)
            made = releases.freeze(study=row.study, consistency_pass=row, member=member)
            return f"{made}: {made.items_count} regions, manifest {made.manifest_digest}."

        self.act(request, queryset, do)


@admin.register(Finding)
class FindingAdmin(Rows):
    study_path = "consistency_pass__study"
    list_display = (
        "consistency_pass", "rule", "severity", "state", "region", "counterpart", "message", "fix", "reason",
    )  # fmt: skip
    list_filter = (StudyFilter, "state", "severity", "rule")
    exact_search = ("region__public_id",)
    list_select_related = ("consistency_pass__study", "region", "counterpart")
    action_form = FixForm
    actions = ("resolve", "waive", "reopen")

    @admin.action(description="Resolve by the fix, with a reason")
    def resolve(self, request: HttpRequest, queryset: QuerySet[Finding]) -> None:
        def do(row: Finding) -> str:
            member = manager_of(request, row.consistency_pass.study)
            fix = request.POST.get("fix") or None
            done = findings.apply(finding=row, member=member, reason=reason_of(request), fix=fix)
            return f"{done} is {done.state}."

        self.act(request, queryset, do)

    @admin.action(description="Waive, with a reason")
    def waive(self, request: HttpRequest, queryset: QuerySet[Finding]) -> None:
        def do(row: Finding) -> str:
            member = manager_of(request, row.consistency_pass.study)
            done = findings.waive(finding=row, member=member, reason=reason_of(request))
            return f"{done} is {done.state}."

        self.act(request, queryset, do)

    @admin.action(description="Reopen, with a reason")
    def reopen(self, request: HttpRequest, queryset: QuerySet[Finding]) -> None:
        def do(row: Finding) -> str:
            member = manager_of(request, row.consistency_pass.study)
            return f"{findings.reopen(finding=row, member=member, reason=reason_of(request))} is open."

        self.act(request, queryset, do)


@admin.register(PassItem)
class PassItemAdmin(Rows):
    study_path = "consistency_pass__study"
    list_display = ("consistency_pass", "region", "revision")
    list_filter = (StudyFilter,)
    exact_search = ("region__public_id",)
    list_select_related = ("consistency_pass__study", "region", "revision__region")


@admin.register(AcceptanceSample)
class AcceptanceSampleAdmin(Rows):
    list_display = (
        "number",
        "study",
        "consistency_pass",
        "state",
        "population",
        "opinions",
        "started_by",
        "created_at",
    )
    list_filter = (StudyFilter, "state")
    list_select_related = ("study", "consistency_pass__study", "started_by")


@admin.register(AcceptanceItem)
class AcceptanceItemAdmin(Rows):
    study_path = "sample__study"
    list_display = ("sample", "region", "label", "verdict", "slots_open", "needs_adjudication")
    list_filter = (StudyFilter, "needs_adjudication")
    exact_search = ("region__public_id",)
    list_select_related = ("sample__study", "region")


@admin.register(Release)
class ReleaseAdmin(Rows):
    list_display = ("number", "study", "consistency_pass", "items_count", "manifest_digest", "created_by", "created_at")
    list_filter = (StudyFilter,)
    exact_search = ("manifest_digest",)
    list_select_related = ("study", "consistency_pass__study", "created_by")


@admin.register(ReleaseItem)
class ReleaseItemAdmin(Rows):
    study_path = "release__study"
    list_display = ("release", "region", "revision", "split")
    list_filter = (StudyFilter, "split")
    exact_search = ("region__public_id",)
    list_select_related = ("release__study", "region", "revision__region")
