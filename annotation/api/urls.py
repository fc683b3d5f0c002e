"""The addresses of the API. Each has its line in the authorization matrix of the tests."""

from django.urls import URLPattern, URLResolver, include, path, re_path, register_converter
from django.urls.converters import StringConverter
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from annotation.api import (
    examples,
    imports,
    jobs,
    me,
    models,
    passes,
    pictures,
    queue,
    regions,
    releases,
    slides,
    studies,
    tokens,
    workload,
)
from annotation.api.missing import MissingView

app_name = "api"

# The page and its script apart: nothing inline, so it works under the site's policy.
docs = SpectacularSwaggerSplitView


class OpaqueId(StringConverter):
    """A public name of a slide or region."""

    regex = "[0-9a-z]{1,20}"


class Number(StringConverter):
    """A whole number that fits PostgreSQL's integer."""

    regex = "[0-9]{1,9}"

    def to_python(self, value: str) -> int:  # type: ignore[override]
        return int(value)


register_converter(OpaqueId, "opaque")
register_converter(Number, "number")

FINDING = "<number:number>/findings/<number:finding>/"

queue_urls = [
    path("", workload.QueueView.as_view(), name="queue"),
    path("claim/", queue.ClaimView.as_view(), name="queue-claim"),
    path("renew/", queue.RenewView.as_view(), name="queue-renew"),
    path("release/", queue.ReleaseView.as_view(), name="queue-release"),
    path("skip/", queue.SkipView.as_view(), name="queue-skip"),
    path("submit/", queue.SubmitView.as_view(), name="queue-submit"),
    path("draft/", workload.DraftView.as_view(), name="queue-draft"),
    path("undo/", queue.UndoView.as_view(), name="queue-undo"),
    path("answers/", queue.OwnAnswersView.as_view(), name="queue-answers"),
]

slide_urls = [
    path("", slides.SlidesView.as_view(), name="slides"),
    path("upload/", slides.SlideUploadView.as_view(), name="slide-upload"),
    path("<opaque:slide>/", slides.SlideDetail.as_view(), name="slide"),
    path("<opaque:slide>/thumbnail.jpg", pictures.SlideThumbnail.as_view(), name="slide-thumbnail"),
    path(
        "<opaque:slide>/tiles/<number:level>/<number:column>_<number:row>.jpg",
        pictures.SlideTile.as_view(),
        name="slide-tile",
    ),
]

region_urls = [
    path("", regions.RegionsView.as_view(), name="regions"),
    path("<opaque:region>/", regions.RegionDetail.as_view(), name="region"),
    path("<opaque:region>/image.jpg", pictures.RegionImage.as_view(), name="region-image"),
    path("<opaque:region>/thumbnail.jpg", pictures.RegionThumbnail.as_view(), name="region-thumbnail"),
    path("<opaque:region>/revisions/", regions.RevisionsView.as_view(), name="region-revisions"),
    path("<opaque:region>/annotations/", regions.RegionAnswersView.as_view(), name="region-annotations"),
    path("<opaque:region>/decide/", regions.DecideView.as_view(), name="region-decide"),
]

pass_urls = [
    path("", passes.PassesView.as_view(), name="passes"),
    path("<number:number>/", passes.PassDetail.as_view(), name="pass"),
    path("<number:number>/findings/", passes.FindingsView.as_view(), name="findings"),
    path(f"{FINDING}resolve/", passes.ResolveFinding.as_view(), name="finding-resolve"),
    path(f"{FINDING}waive/", passes.WaiveFinding.as_view(), name="finding-waive"),
    path(f"{FINDING}reopen/", passes.ReopenFinding.as_view(), name="finding-reopen"),
]

release_urls = [
    path("", releases.ReleasesView.as_view(), name="releases"),
    path("<number:number>/", releases.ReleaseDetail.as_view(), name="release"),
    path("<number:number>/files/<str:name>", releases.ReleaseFileView.as_view(), name="release-file"),
]

study_urls: list[URLPattern | URLResolver] = [
    path("", studies.StudyDetail.as_view(), name="study"),
    path("open/", studies.OpenStudy.as_view(), name="study-open"),
    path("drain/", studies.DrainStudy.as_view(), name="study-drain"),
    path("close/", studies.CloseStudy.as_view(), name="study-close"),
    path("policy/", studies.PolicyView.as_view(), name="study-policy"),
    path("progress/", studies.ProgressView.as_view(), name="study-progress"),
    path("members/", studies.MembersView.as_view(), name="study-members"),
    path("queue/", include(queue_urls)),
    path("examples/", examples.ExamplesView.as_view(), name="examples"),
    path("slides/", include(slide_urls)),
    path("regions/", include(region_urls)),
    path("models/", models.ModelsView.as_view(), name="models"),
    path("models/<number:number>/", models.ModelDetail.as_view(), name="model"),
    path("models/<number:number>/activate/", models.ActivateModel.as_view(), name="model-activate"),
    path("passes/", include(pass_urls)),
    path("releases/", include(release_urls)),
    path("jobs/", jobs.JobsView.as_view(), name="jobs"),
    path("jobs/train/", jobs.TrainNow.as_view(), name="jobs-train"),
    path("jobs/<number:job>/retry/", jobs.RetryJob.as_view(), name="job-retry"),
]

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", docs.as_view(url_name="api:schema", template_name="concord/api_docs.html"), name="docs"),
    path("token/", tokens.TokenView.as_view(), name="token"),
    path("me/preferences/", me.PreferencesView.as_view(), name="preferences"),
    path("studies/", studies.StudiesView.as_view(), name="studies"),
    path("import/", imports.ImportView.as_view(), name="import"),
    path("studies/<slug:slug>/", include(study_urls)),
    re_path(r"^[\s\S]*$", MissingView.as_view(), name="missing"),
]
