"""The addresses of the API. Each has its line in the authorization matrix of the tests."""

from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from annotation import converters as _converters  # noqa: F401 - makes <opaque:…> and <number:…> known
from annotation.api import (
    adjudication,
    arrangement,
    dashboard,
    examples,
    findings,
    gold,
    history,
    imports,
    jobs,
    me,
    models,
    overlay,
    passes,
    pictures,
    protocols,
    queue,
    regions,
    releases,
    samples,
    slides,
    strictness,
    studies,
    timeline,
    tokens,
    workload,
)
from annotation.api.missing import MissingView
from annotation.api.setup_urls import setup_urls

app_name = "api"

# The page and its script apart: nothing inline, so it works under the site's policy.
docs = SpectacularSwaggerSplitView


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
    path("orders/", arrangement.ArrangementView.as_view(), name="queue-orders"),
    path("answers/", queue.OwnAnswersView.as_view(), name="queue-answers"),
    path("adjudication/", adjudication.AdjudicationsView.as_view(), name="adjudications"),
    path("adjudication/<str:token>/", adjudication.AdjudicationView.as_view(), name="adjudication"),
    path(
        "adjudication/<str:token>/<opaque:region>.jpg",
        adjudication.NeighbourPicture.as_view(),
        name="adjudication-neighbour",
    ),
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
    path("<opaque:slide>/overlay/", overlay.SlideOverlay.as_view(), name="slide-overlay"),
]

region_urls = [
    path("", regions.RegionsView.as_view(), name="regions"),
    path("<opaque:region>/", regions.RegionDetail.as_view(), name="region"),
    path("<opaque:region>/image.jpg", pictures.RegionImage.as_view(), name="region-image"),
    path("<opaque:region>/thumbnail.jpg", pictures.RegionThumbnail.as_view(), name="region-thumbnail"),
    path("<opaque:region>/revisions/", regions.RevisionsView.as_view(), name="region-revisions"),
    path("<opaque:region>/annotations/", regions.RegionAnswersView.as_view(), name="region-annotations"),
    path("<opaque:region>/decide/", regions.DecideView.as_view(), name="region-decide"),
    path("<opaque:region>/history/", history.HistoryView.as_view(), name="region-history"),
    path("<opaque:region>/restore/", history.RestoreView.as_view(), name="region-restore"),
    path("<opaque:region>/send-back/", history.SendBackView.as_view(), name="region-send-back"),
]

protocol_urls = [
    path("", protocols.VersionsView.as_view(), name="protocols"),
    path("compare/", protocols.CompareView.as_view(), name="protocols-compare"),
    path("draft/", protocols.DraftView.as_view(), name="protocol-draft"),
    path("draft/impact/", protocols.ImpactView.as_view(), name="protocol-impact"),
    path("draft/publish/", protocols.PublishView.as_view(), name="protocol-publish"),
]

pass_urls = [
    path("", passes.PassesView.as_view(), name="passes"),
    path("<number:number>/", passes.PassDetail.as_view(), name="pass"),
    path("<number:number>/summary/", passes.PassSummary.as_view(), name="pass-summary"),
    path("<number:number>/preview/", passes.PassPreview.as_view(), name="pass-preview"),
    path("<number:number>/changes/", passes.PassChanges.as_view(), name="pass-changes"),
    path("<number:number>/changes.csv", passes.PassChangesTable.as_view(), name="pass-changes-table"),
    path("<number:number>/findings/", findings.FindingsView.as_view(), name="findings"),
    path("<number:number>/findings.csv", findings.FindingsTable.as_view(), name="findings-table"),
    path("<number:number>/findings/decide/", findings.DecideFindings.as_view(), name="findings-decide"),
    path("<number:number>/sample/", samples.PassSample.as_view(), name="pass-sample"),
    path("<number:number>/sample/abandon/", samples.AbandonSample.as_view(), name="pass-sample-abandon"),
    path(f"{FINDING}resolve/", findings.ResolveFinding.as_view(), name="finding-resolve"),
    path(f"{FINDING}waive/", findings.WaiveFinding.as_view(), name="finding-waive"),
    path(f"{FINDING}reopen/", findings.ReopenFinding.as_view(), name="finding-reopen"),
]

release_urls = [
    path("", releases.ReleasesView.as_view(), name="releases"),
    path("<number:number>/", releases.ReleaseDetail.as_view(), name="release"),
    path("<number:number>/files/<path:name>", releases.ReleaseFileView.as_view(), name="release-file"),
    path("<number:number>/verify/", releases.VerifyRelease.as_view(), name="release-verify"),
    path("<number:number>/changes/", releases.ReleaseChanges.as_view(), name="release-changes"),
    path("<number:number>/changes.csv", releases.ReleaseChangesTable.as_view(), name="release-changes-table"),
    path("<number:number>/release.tar", releases.ReleaseArchive.as_view(), name="release-archive"),
]

ledger_urls = [
    path("", timeline.TimelineView.as_view(), name="ledger"),
    path("standing/", timeline.StandingView.as_view(), name="ledger-standing"),
    path("changes/", timeline.DifferenceView.as_view(), name="ledger-changes"),
    path("anchors/", timeline.AnchorsView.as_view(), name="ledger-anchors"),
    path("ledger.jsonl", timeline.LedgerFileView.as_view(), name="ledger-file"),
    path("<number:number>/take-back/", timeline.TakeBackView.as_view(), name="ledger-take-back"),
    path("people/<slug:member>/sessions/", timeline.SessionsView.as_view(), name="ledger-sessions"),
    path("people/<slug:member>/set-aside/", timeline.SetAsideView.as_view(), name="ledger-set-aside"),
    path("people/<slug:member>/erase/", timeline.EraseView.as_view(), name="ledger-erase"),
]

study_urls: list[URLPattern | URLResolver] = [
    path("", studies.StudyDetail.as_view(), name="study"),
    path("open/", studies.OpenStudy.as_view(), name="study-open"),
    path("drain/", studies.DrainStudy.as_view(), name="study-drain"),
    path("close/", studies.CloseStudy.as_view(), name="study-close"),
    path("policy/", studies.PolicyView.as_view(), name="study-policy"),
    path("progress/", studies.ProgressView.as_view(), name="study-progress"),
    path("members/", studies.MembersView.as_view(), name="study-members"),
    path("setup/", include(setup_urls)),
    path("dashboard/<slug:panel>.csv", dashboard.DashboardCsv.as_view(), name="dashboard-csv"),
    path("dashboard/<slug:panel>/", dashboard.DashboardPanel.as_view(), name="dashboard-panel"),
    path("queue/", include(queue_urls)),
    path("gold/", gold.GoldView.as_view(), name="gold"),
    path("gold/adopt/", gold.AdoptGold.as_view(), name="gold-adopt"),
    path("gold/retire/", gold.RetireGold.as_view(), name="gold-retire"),
    path("examples/", examples.ExamplesView.as_view(), name="examples"),
    path("slides/", include(slide_urls)),
    path("regions/", include(region_urls)),
    path("models/", models.ModelsView.as_view(), name="models"),
    path("models/<number:number>/", models.ModelDetail.as_view(), name="model"),
    path("models/<number:number>/activate/", models.ActivateModel.as_view(), name="model-activate"),
    path("rules/", strictness.RulesView.as_view(), name="rules"),
    path("protocols/", include(protocol_urls)),
    path("passes/", include(pass_urls)),
    path("releases/", include(release_urls)),
    path("ledger/", include(ledger_urls)),
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
