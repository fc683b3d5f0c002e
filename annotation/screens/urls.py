"""The addresses of the screens, mounted before Django's own admin pages."""

from django.urls import path

from annotation import converters as _converters  # noqa: F401 - makes <opaque:…> and <number:…> known
from annotation.screens import (
    adjudicate,
    annotate,
    answers,
    dashboard,
    gallery,
    history,
    home,
    passes,
    protocol,
    queue,
    releases,
    rules,
    setup,
    slides,
    timeline,
)

app_name = "screens"

urlpatterns = [
    path("", home.Home.as_view(), name="home"),
    path("studies/new/", setup.NewStudy.as_view(), name="setup-new"),
    path("studies/<slug:slug>/", dashboard.Dashboard.as_view(), name="dashboard"),
    path("studies/<slug:slug>/queue/", queue.Queue.as_view(), name="queue"),
    path("studies/<slug:slug>/annotate/", annotate.Annotate.as_view(), name="annotate"),
    path("studies/<slug:slug>/gallery/", gallery.Gallery.as_view(), name="gallery"),
    path("studies/<slug:slug>/adjudicate/", adjudicate.Adjudicate.as_view(), name="adjudicate"),
    path("studies/<slug:slug>/answers/", answers.Answers.as_view(), name="answers"),
    path("studies/<slug:slug>/slides/", slides.Slides.as_view(), name="slides"),
    path("studies/<slug:slug>/slides/<opaque:slide>/", slides.SlideOverview.as_view(), name="slide"),
    path("studies/<slug:slug>/regions/<opaque:region>/", history.History.as_view(), name="history"),
    path("studies/<slug:slug>/setup/", setup.Setup.as_view(), name="setup"),
    path("studies/<slug:slug>/protocol/", protocol.ProtocolVersions.as_view(), name="protocol"),
    path("studies/<slug:slug>/passes/", passes.Passes.as_view(), name="passes"),
    path("studies/<slug:slug>/passes/rules/", rules.Rules.as_view(), name="rules"),
    path("studies/<slug:slug>/passes/<number:number>/", passes.Pass.as_view(), name="pass"),
    path("studies/<slug:slug>/timeline/", timeline.Timeline.as_view(), name="timeline"),
    path("studies/<slug:slug>/releases/", releases.Releases.as_view(), name="releases"),
    path("studies/<slug:slug>/releases/<number:number>/", releases.Release.as_view(), name="release"),
]
