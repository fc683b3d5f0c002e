"""The addresses of a study's set-up, below /api/studies/<slug>/setup/."""

from django.urls import path

from annotation import converters as _converters  # noqa: F401 - makes <opaque:…> and <number:…> known
from annotation.api import joining, setup, staging

SLIDE = "slides/<opaque:slide>/"

setup_urls = [
    path("", setup.SetupView.as_view(), name="setup"),
    path("name/", setup.SetupName.as_view(), name="setup-name"),
    path("domains/", setup.SetupDomains.as_view(), name="setup-domains"),
    path("classes/", setup.SetupClasses.as_view(), name="setup-classes"),
    path("region/", setup.SetupRegion.as_view(), name="setup-region"),
    path("policy/", setup.SetupPolicy.as_view(), name="setup-policy"),
    path("checklist/", setup.SetupChecklist.as_view(), name="setup-checklist"),
    path("publication/", setup.SetupPublication.as_view(), name="setup-publication"),
    path("plan/", setup.SetupPlan.as_view(), name="setup-plan"),
    path("launch/", setup.SetupLaunch.as_view(), name="setup-launch"),
    path("enter/", setup.SetupEnter.as_view(), name="setup-enter"),
    path("study.toml", setup.SetupDefinition.as_view(), name="setup-definition"),
    path("members/", joining.SetupMembers.as_view(), name="setup-members"),
    path("members/<slug:member>/", joining.SetupMember.as_view(), name="setup-member"),
    path("folders/", staging.FoldersView.as_view(), name="setup-folders"),
    path("folder/", staging.FolderView.as_view(), name="setup-folder"),
    path("slides/", staging.StagedSlidesView.as_view(), name="setup-slides"),
    path("slides.csv", staging.StagedTable.as_view(), name="setup-slides-table"),
    path(SLIDE, staging.StagedSlideView.as_view(), name="setup-slide"),
    path(f"{SLIDE}thumbnail.jpg", staging.StagedThumbnail.as_view(), name="setup-slide-thumbnail"),
    path(
        f"{SLIDE}tiles/<number:level>/<number:column>_<number:row>.jpg",
        staging.StagedTile.as_view(),
        name="setup-slide-tile",
    ),
    path(f"{SLIDE}tiling/", staging.StagedTiling.as_view(), name="setup-slide-tiling"),
]
