"""What all admin pages share: rows of the studies one manages, read-only, actions that call services.

Decides who sees which rows; refuses to write. Superusers see every study, other staff those they manage.
"""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import SuspiciousOperation
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from annotation.errors import ConcordError, Refused
from annotation.models import Membership, Study
from annotation.states import Role

# Django's own classes take no parameter at run time.
if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Any]
else:
    _Admin = admin.ModelAdmin

MOST_ROWS_LISTED = 10_000
MOST_MESSAGES = 10


class CappedPaginator(Paginator):
    """Counts no further than `MOST_ROWS_LISTED`: on a million rows one filters, nobody leafs to the end."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return rows.order_by()[:MOST_ROWS_LISTED].count()


class StudyFilter(admin.SimpleListFilter):
    """Filters by study and offers only those the viewer manages."""

    title = "study"
    parameter_name = "study"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(managed_studies(request).order_by("slug").values_list("slug", "name"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        path = self.model_admin_path
        return queryset.filter(**{f"{path}__slug" if path else "slug": self.value()})

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        self.model_admin_path = model_admin.study_path
        super().__init__(request, params, model, model_admin)


class ReasonForm(ActionForm):
    """The choice of an action, with room for its reason."""

    reason = forms.CharField(required=False, max_length=2000, widget=forms.TextInput(attrs={"size": 50}))


def managed_studies(request: HttpRequest) -> QuerySet[Study]:
    """The studies whose rows the person sees here."""
    if request.user.is_superuser:
        return Study.objects.all()
    return Study.objects.visible_to(request.user, Role.MANAGER)


def manager_of(request: HttpRequest, study: Study) -> Membership:
    """The person's own membership as manager: what is decided carries its pseudonym."""
    own = Membership.objects.filter(
        study=study, user__pk=request.user.pk or 0, role=Role.MANAGER, is_active=True
    ).first()
    if own is None:
        raise Refused(f"Only a manager of '{study.name}' may do this: become one under Memberships.")
    return own


def reason_of(request: HttpRequest) -> str:
    """What was entered beside the action."""
    return request.POST.get("reason", "").strip()


class Rows(_Admin):
    """Read-only rows of the studies one manages. `study_path` leads from the row to its study."""

    study_path: ClassVar[str] = "study"
    is_for_superusers: ClassVar[bool] = False
    exact_search: ClassVar[tuple[str, ...]] = ()

    ordering = ("-pk",)
    list_per_page = 50
    list_max_show_all = 50
    show_full_result_count = False
    paginator = CappedPaginator
    list_select_related: ClassVar[Any] = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        if request.user.is_superuser:
            return rows
        if self.is_for_superusers:
            return rows.none()
        return rows.filter(**{f"{self.study_path or 'pk'}__in": managed_studies(request)})

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # Which rows there are to see is decided by the queryset, also for a single one.
        return bool(request.user.is_superuser or (request.user.is_staff and not self.is_for_superusers))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only the filters on the page: no other column can be probed through the address."""
        allowed = set()
        for one in self.list_filter:
            if isinstance(one, type) and issubclass(one, admin.SimpleListFilter):
                allowed.add(one.parameter_name)
            else:
                allowed |= {f"{one}__exact", f"{one}__isnull"}
        return lookup in allowed

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        if any("\x00" in value for value in request.GET.values()):
            raise SuspiciousOperation("PostgreSQL's text holds no NUL, so no filter may ask for one.")
        return super().changelist_view(request, extra_context)

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return self.exact_search

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Whole names only: these columns have an index, parts of them do not."""
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = Q()
        for field in self.exact_search:
            wanted |= Q(**{field: term})
        return queryset.filter(wanted), False

    def act(self, request: HttpRequest, rows: Iterable[Any], do: Callable[[Any], str]) -> None:
        """Call a service for each row and show what it says; one that refuses does not stop the rest."""
        said: list[tuple[int, str]] = []
        for row in rows:
            try:
                said.append((messages.SUCCESS, do(row)))
            except ConcordError as error:
                said.append((messages.ERROR, f"{row}: {error.message}"))
        for level, text in said[:MOST_MESSAGES]:
            self.message_user(request, text, level)
        if len(said) > MOST_MESSAGES:
            failed = sum(level == messages.ERROR for level, _ in said)
            self.message_user(request, f"{len(said)} rows in all, {failed} of them refused.", messages.WARNING)
