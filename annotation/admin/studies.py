"""Studies, their members and protocols in the admin: run a study, change its policy, let people join.

Decides what a page shows; every move is a service's.
"""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from annotation.admin.base import Rows, StudyFilter, managed_studies, manager_of
from annotation.models import ClassMapping, LabelClass, Membership, Protocol, Study
from annotation.selectors import background
from annotation.selectors import studies as study_reads
from annotation.services import consensus, loop, members, passes, studies

_PAGES = "slide region selectionbatch pick assignment annotation groundtruthrevision modelversion job"
_PAGES += " consistencypass finding release ledgerentry membership"


@admin.register(Study)
class StudyAdmin(Rows):
    study_path = ""
    list_display = ("slug", "name", "task", "state", "protocol", "is_simulation", "created_at")
    list_filter = ("state", "is_simulation")
    exact_search = ("slug", "name")
    fields = (
        "name", "slug", "task", "state", "protocol", "domains", "seed", "region_width", "region_height",
        "region_um_per_px", "is_simulation", "policy_values", "progress", "pages",
    )  # fmt: skip
    readonly_fields = tuple(name for name in fields if name != "policy_values")
    actions = ("open", "drain", "close", "train", "refit", "run_pass")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_view_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Study, form: Any, change: bool) -> None:
        before = set(form.initial.get("policy_values") or {})
        values = {key: None for key in before} | (obj.policy_values or {})
        studies.update_policy(study=obj, values=values)

    @admin.display(description="How far it is")
    def progress(self, study: Study) -> SafeString:
        rows = ((key.replace("_", " "), _text(value)) for key, value in study_reads.progress(study).items())
        return format_html("<table>{}</table>", format_html_join("", "<tr><th>{}</th><td>{}</td></tr>", rows))

    @admin.display(description="Its rows")
    def pages(self, study: Study) -> SafeString:
        query = urlencode({"study": study.slug})
        links = ((reverse(f"admin:annotation_{name}_changelist"), query, name) for name in _PAGES.split())
        return format_html_join(" · ", '<a href="{}?{}">{}</a>', links)

    @admin.action(description="Open to annotators")
    def open(self, request: HttpRequest, queryset: QuerySet[Study]) -> None:
        self.act(request, queryset, lambda row: f"{studies.open_study(study=row)} is running.")

    @admin.action(description="Drain: finish what was begun")
    def drain(self, request: HttpRequest, queryset: QuerySet[Study]) -> None:
        self.act(request, queryset, lambda row: f"{studies.drain(study=row)} is draining.")

    @admin.action(description="Close: hand out no work")
    def close(self, request: HttpRequest, queryset: QuerySet[Study]) -> None:
        self.act(request, queryset, lambda row: f"{studies.close(study=row)} is closed.")

    @admin.action(description="Train a model now")
    def train(self, request: HttpRequest, queryset: QuerySet[Study]) -> None:
        def do(row: Study) -> str:
            job = loop.train_now(study=row, trigger=background.BY_HAND)
            return f"{row}: training {job.key} is {job.state}."

        self.act(request, queryset, do)

    @admin.action(description="Refit the annotators' reliability now")
    def refit(self, request: HttpRequest, queryset: QuerySet[Study]) -> None:
        def do(row: Study) -> str:
            found = consensus.refit(study=row)
            return f"{row}: " + (f"snapshot {found.number} rests on {found.answers} answers." if found else NOTHING)

        self.act(request, queryset, do)

    @admin.action(description="Run a consistency pass")
    def run_pass(self, request: HttpRequest, queryset: QuerySet[Study]) -> None:
        def do(row: Study) -> str:
            started = passes.start(study=row, member=manager_of(request, row))
            return f"{row}: pass {started.number} runs over ledger position {started.ledger_position}."

        self.act(request, queryset, do)


NOTHING = "there are no answers to fit yet."


class JoinForm(forms.ModelForm):
    """A person by name: managers need no list of everybody's accounts."""

    username = forms.CharField(max_length=150)

    class Meta:
        model = Membership
        fields = ("study", "role")

    def clean_username(self) -> Any:
        user = get_user_model().objects.filter(username=self.cleaned_data["username"]).first()
        if user is None:
            raise forms.ValidationError("There is no account of that name. A superuser can make one.")
        return user


class RoleForm(forms.ModelForm):
    class Meta:
        model = Membership
        fields = ("role",)


@admin.register(Membership)
class MembershipAdmin(Rows):
    list_display = ("pseudonym", "study", "user", "role", "is_active", "joined_at")
    list_filter = (StudyFilter, "role", "is_active")
    exact_search = ("pseudonym", "user__username")
    readonly_fields = ("study", "user", "pseudonym", "is_active")
    actions = ("deactivate",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_view_permission(request, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **kwargs, form=RoleForm if obj else JoinForm)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "role") if obj else ("study", "username", "role")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.readonly_fields if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "study":
            kwargs["queryset"] = managed_studies(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        user = obj.user if change else form.cleaned_data["username"]
        saved = studies.add_member(study=obj.study, user=user, role=obj.role)  # type: ignore[arg-type]
        obj.pk, obj.user, obj.pseudonym = saved.pk, saved.user, saved.pseudonym

    @admin.action(description="End the membership; answers stay")
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        self.act(request, queryset, lambda row: f"{members.deactivate(member=row)} has left.")


class ClassInline(admin.TabularInline):
    model = LabelClass
    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class MappingInline(ClassInline):
    model = ClassMapping  # type: ignore[assignment]


@admin.register(Protocol)
class ProtocolAdmin(Rows):
    list_display = ("study", "number", "published_at")
    list_filter = (StudyFilter,)
    inlines = (ClassInline, MappingInline)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key or 'none'}: {count}" for key, count in value.items()) or "-"
    return "-" if value is None else str(value)
