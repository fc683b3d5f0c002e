"""Slides, cases, domains and regions in the admin.

Decides what a page shows; decisions about regions are services.truth and services.picks.
"""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from annotation.admin.base import ReasonForm, Rows, StudyFilter, manager_of, reason_of
from annotation.errors import BadInput, Refused
from annotation.models import Case, Domain, Gold, KnownTruth, RecordedVote, Region, Slide
from annotation.selectors import regions
from annotation.services import picks, truth


class Pictured(Rows):
    """Rows with a picture, shown to those to whom the API serves it: managers of the study."""

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        names = super().get_fields(request, obj)
        try:
            manager_of(request, obj.study)
        except Refused:
            return [name for name in names if name not in ("picture", "screen")]
        return names


@admin.register(Case)
class CaseAdmin(Rows):
    list_display = ("code", "study", "audit_half")
    list_filter = (StudyFilter, "audit_half")
    exact_search = ("code",)


@admin.register(Domain)
class DomainAdmin(Rows):
    list_display = ("name", "study")
    list_filter = (StudyFilter,)


@admin.register(Slide)
class SlideAdmin(Pictured):
    list_display = ("public_id", "study", "case", "domain", "state", "region_count", "tissue_share", "failure")
    list_filter = (StudyFilter, "state")
    exact_search = ("public_id", "checksum")
    readonly_fields = ("picture",)
    list_select_related = ("study", "case", "domain")

    @admin.display(description="Thumbnail")
    def picture(self, slide: Slide) -> SafeString:
        url = reverse("api:slide-thumbnail", args=[slide.study.slug, slide.public_id])
        return format_html('<img src="{}" alt="The slide, small">', url)


@admin.register(Region)
class RegionAdmin(Pictured):
    list_display = ("public_id", "study", "slide", "state", "label", "confidence", "audit_half", "width", "height")
    list_filter = (StudyFilter, "state", "audit_half")
    exact_search = ("public_id", "slide__public_id")
    readonly_fields = ("picture", "history", "screen")
    list_select_related = ("study", "slide", "current_revision")
    action_form = ReasonForm
    actions = ("recheck", "leave_out")

    @admin.display(description="Label")
    def label(self, region: Region) -> str:
        return region.current_revision.label if region.current_revision else ""

    @admin.display(description="Confidence")
    def confidence(self, region: Region) -> float | None:
        return region.current_revision.confidence if region.current_revision else None

    @admin.display(description="Pixels")
    def picture(self, region: Region) -> SafeString:
        url = reverse("api:region-image", args=[region.study.slug, region.public_id])
        return format_html('<img src="{}?edge=320&amp;context=2" alt="The region in its surroundings">', url)

    @admin.display(description="How its truth came about")
    def history(self, region: Region) -> SafeString:
        rows = (
            (row.number, row.label or ("excluded" if row.is_excluded else "open"), row.method, row.reason)
            for row in regions.revisions(region)
        )
        return format_html_join("", "<div>r{}: {} by {}. {}</div>", rows)

    @admin.display(description="Everything that happened")
    def screen(self, region: Region) -> SafeString:
        url = reverse("screens:history", args=[region.study.slug, region.public_id])
        return format_html('<a href="{}">Timeline, comparison, restore</a>', url)

    @admin.action(description="Ask more people, with a reason")
    def recheck(self, request: HttpRequest, queryset: QuerySet[Region]) -> None:
        def do(row: Region) -> str:
            manager_of(request, row.study)
            if not reason_of(request):
                raise BadInput("Asking again needs a reason.")
            batch = picks.recheck(study=row.study, regions=[row], reason=reason_of(request))
            return f"{row} is asked again." if batch else f"{row} is being asked about already."

        self.act(request, queryset, do)

    @admin.action(description="Leave out of the dataset, with a reason")
    def leave_out(self, request: HttpRequest, queryset: QuerySet[Region]) -> None:
        def do(row: Region) -> str:
            member = manager_of(request, row.study)
            done = truth.decide(region=row, member=member, answer=None, reason=reason_of(request), exclude=True)
            return f"{row} is left out by revision {done.number}."

        self.act(request, queryset, do)


@admin.register(KnownTruth)
class KnownTruthAdmin(Rows):
    # Who manages a study may not know either: managers see regions before they are decided.
    study_path = "region__study"
    is_for_superusers = True
    list_display = ("region", "label", "borderline")
    list_filter = (StudyFilter,)
    exact_search = ("region__public_id",)


@admin.register(Gold)
class GoldAdmin(Rows):
    study_path = "region__study"
    list_display = ("region", "protocol", "label", "source", "is_qualification", "added_by", "added_at", "retired_at")
    list_filter = (StudyFilter, "source", "is_qualification")
    exact_search = ("region__public_id",)
    list_select_related = ("region", "protocol__study", "added_by")


@admin.register(RecordedVote)
class RecordedVoteAdmin(Rows):
    study_path = "region__study"
    is_for_superusers = True
    list_display = ("region", "annotator", "label", "seconds")
    list_filter = (StudyFilter,)
    exact_search = ("region__public_id",)
