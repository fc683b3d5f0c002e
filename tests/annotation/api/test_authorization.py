"""Every route of the API, from the resolver, against every kind of person. A route without a line here fails."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from django.urls import URLPattern, URLResolver, get_resolver

from annotation.models import Job
from annotation.services import queue
from annotation.states import JobKind, JobState
from tests.annotation.api.scene import ACTORS, Scene, add_blocker

EVERYONE = frozenset(ACTORS)
SIGNED_IN = EVERYONE - {"anonymous"}
WORKERS = frozenset({"annotator", "adjudicator"})
MANAGER = frozenset({"manager"})
MEMBERS = WORKERS | MANAGER
HOLDER = frozenset({"annotator", "manager"})  # the annotator holds the region's lease


@dataclass(frozen=True)
class Line:
    """Who gets `status` for `body`; everybody else gets 404, or 401 when not signed in."""

    who: frozenset[str]
    status: int = 200
    body: dict[str, Any] = field(default_factory=dict)
    multipart: bool = False


MATRIX: dict[tuple[str, str], Line] = {
    ("schema", "get"): Line(EVERYONE),
    ("docs", "get"): Line(EVERYONE),
    ("token", "post"): Line(EVERYONE, 400),
    ("preferences", "get"): Line(SIGNED_IN),
    ("preferences", "put"): Line(SIGNED_IN, body={"keys": {"single": False}}),
    ("import", "post"): Line(SIGNED_IN, 403, {"folder": "blood", "slug": "new"}),
    ("studies", "get"): Line(SIGNED_IN),
    ("studies", "post"): Line(SIGNED_IN, 403, {"slug": "begun", "name": "Begun"}),
    ("setup", "get"): Line(MANAGER),
    ("setup-name", "put"): Line(MANAGER, 409, {"name": "Other"}),
    ("setup-domains", "put"): Line(MANAGER, 409, {"domains": ["lab"]}),
    ("setup-classes", "put"): Line(MANAGER, 409, {"classes": []}),
    ("setup-region", "put"): Line(MANAGER, 409, {"edge": 64}),
    ("setup-policy", "put"): Line(MANAGER, body={"values": {"batch_size": 30}}),
    ("setup-checklist", "put"): Line(MANAGER, body={"answers": {"purpose": "To tell cells apart."}}),
    ("setup-publication", "put"): Line(MANAGER, body={"licence": "CC-BY-4.0"}),
    ("setup-plan", "get"): Line(MANAGER),
    ("setup-launch", "post"): Line(MANAGER, 409),
    ("setup-enter", "post"): Line(MANAGER),
    ("setup-definition", "get"): Line(MANAGER),
    ("setup-members", "get"): Line(MANAGER),
    ("setup-members", "post"): Line(MANAGER, 200, {"username": "nobody", "role": "annotator"}),
    ("setup-member", "put"): Line(MANAGER, 404, {"is_trained": True}),
    ("setup-member", "delete"): Line(MANAGER, 404),
    ("setup-folders", "get"): Line(MANAGER),
    ("setup-folder", "get"): Line(MANAGER, 400),
    ("setup-folder", "post"): Line(MANAGER, 400),
    ("setup-slides", "get"): Line(MANAGER),
    ("setup-slides", "post"): Line(MANAGER, 400),
    ("setup-slides-table", "post"): Line(MANAGER, 400, {"text": "path,case\n"}),
    ("setup-slide", "put"): Line(MANAGER, 404, {"case": "one"}),
    ("setup-slide", "delete"): Line(MANAGER, 404),
    ("setup-slide-thumbnail", "get"): Line(MANAGER, 404),
    ("setup-slide-tile", "get"): Line(MANAGER, 404),
    ("setup-slide-tiling", "get"): Line(MANAGER, 404),
    ("study", "get"): Line(MEMBERS),
    ("study-open", "post"): Line(MANAGER),
    ("study-drain", "post"): Line(MANAGER),
    ("study-close", "post"): Line(MANAGER),
    ("study-policy", "get"): Line(MANAGER),
    ("study-progress", "get"): Line(MANAGER),
    ("gold", "get"): Line(MANAGER),
    ("gold", "post"): Line(MANAGER, 400, {"table": "region,label\nnowhere,banana\n"}),
    ("gold-adopt", "post"): Line(MANAGER, 409, {"count": 3}),
    ("gold-retire", "post"): Line(MANAGER, body={"regions": ["nowhere"]}),
    ("study-members", "get"): Line(MANAGER),
    ("dashboard-panel", "get"): Line(MANAGER),
    ("dashboard-csv", "get"): Line(MANAGER),
    ("queue", "get"): Line(WORKERS),
    ("queue-claim", "post"): Line(WORKERS),
    ("queue-renew", "post"): Line(WORKERS, 400),
    ("queue-release", "post"): Line(WORKERS, 400),
    ("queue-skip", "post"): Line(WORKERS, 400),
    ("queue-submit", "post"): Line(WORKERS, 400),
    ("queue-undo", "post"): Line(WORKERS, 400),
    ("queue-draft", "put"): Line(WORKERS, 400),
    ("examples", "get"): Line(MEMBERS),
    ("examples", "post"): Line(MANAGER, 400),
    ("examples", "delete"): Line(MANAGER, 400),
    ("queue-orders", "get"): Line(WORKERS),
    ("queue-answers", "get"): Line(WORKERS),
    ("adjudications", "get"): Line(frozenset({"adjudicator"})),
    ("adjudication", "get"): Line(frozenset({"adjudicator"}), 404),
    ("adjudication-neighbour", "get"): Line(frozenset({"adjudicator"}), 404),
    ("slides", "get"): Line(MANAGER),
    ("slide-upload", "post"): Line(MANAGER, 400, multipart=True),
    ("slide", "get"): Line(MANAGER),
    ("slide-thumbnail", "get"): Line(MANAGER),
    ("slide-tile", "get"): Line(MANAGER),
    ("slide-overlay", "get"): Line(MANAGER),
    ("regions", "get"): Line(MANAGER),
    ("region", "get"): Line(MANAGER),
    ("region-image", "get"): Line(HOLDER),
    ("region-thumbnail", "get"): Line(HOLDER),
    ("region-revisions", "get"): Line(MANAGER),
    ("region-annotations", "get"): Line(HOLDER),
    ("region-decide", "post"): Line(
        MANAGER, body={"answer": {"kind": "class", "label": "neutrophil"}, "reason": "clear"}
    ),
    ("region-history", "get"): Line(MANAGER),
    ("region-restore", "post"): Line(MANAGER, 404, {"number": 7, "reason": "it was right"}),
    ("region-send-back", "post"): Line(MANAGER, 409, {"reason": "in doubt"}),
    ("models", "get"): Line(MANAGER),
    ("model", "get"): Line(MANAGER, 404),
    ("model-activate", "post"): Line(MANAGER, 404, {"reason": "better"}),
    ("rules", "get"): Line(MANAGER),
    ("rules", "put"): Line(MANAGER, body={"values": {"class-quota": {"severity": "warning"}}}),
    ("protocols", "get"): Line(MANAGER),
    ("protocols-compare", "get"): Line(MANAGER, 400),
    ("protocol-draft", "get"): Line(MANAGER, 404),
    ("protocol-draft", "post"): Line(MANAGER),
    ("protocol-draft", "put"): Line(MANAGER, 409, {"classes": [], "mappings": []}),
    ("protocol-draft", "delete"): Line(MANAGER, 404),
    ("protocol-impact", "get"): Line(MANAGER, 404),
    ("protocol-publish", "post"): Line(MANAGER, 409, {"seen": "0"}),
    ("passes", "get"): Line(MANAGER),
    ("passes", "post"): Line(MANAGER, 201),
    ("pass", "get"): Line(MANAGER),
    ("pass-summary", "get"): Line(MANAGER),
    ("pass-preview", "get"): Line(MANAGER),
    ("pass-changes", "get"): Line(MANAGER),
    ("pass-changes-table", "get"): Line(MANAGER),
    ("pass-sample", "get"): Line(MANAGER),
    ("pass-sample", "post"): Line(MANAGER, 409, {"size": 5}),
    ("pass-sample-abandon", "post"): Line(MANAGER, 404),
    ("findings", "get"): Line(MANAGER),
    ("findings-table", "get"): Line(MANAGER),
    ("findings-decide", "post"): Line(
        MANAGER, body={"decision": "accept", "reason": "right as they are", "where": {"state": "open"}, "count": 1}
    ),
    ("finding-resolve", "post"): Line(MANAGER, body={"reason": "right as it is", "fix": "accept"}),
    ("finding-waive", "post"): Line(MANAGER, body={"reason": "known"}),
    ("finding-reopen", "post"): Line(MANAGER, 409, {"reason": "in doubt"}),
    ("releases", "get"): Line(MANAGER),
    ("releases", "post"): Line(MANAGER, 409, {"consistency_pass": 1}),
    ("release", "get"): Line(MANAGER, 404),
    ("release-file", "get"): Line(MANAGER, 404),
    ("release-verify", "post"): Line(MANAGER, 404),
    ("release-changes", "get"): Line(MANAGER, 404),
    ("release-changes-table", "get"): Line(MANAGER, 404),
    ("release-archive", "get"): Line(MANAGER, 404),
    ("ledger", "get"): Line(MANAGER),
    ("ledger-standing", "get"): Line(MANAGER),
    ("ledger-changes", "get"): Line(MANAGER, 400),
    ("ledger-anchors", "get"): Line(MANAGER),
    ("ledger-anchors", "post"): Line(MANAGER, 409),
    ("ledger-file", "get"): Line(MANAGER),
    ("ledger-take-back", "post"): Line(MANAGER, 404, {"reason": "in error"}),
    ("ledger-sessions", "get"): Line(MANAGER, 404),
    ("ledger-set-aside", "post"): Line(
        MANAGER, 404, {"since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z", "reason": "drifted"}
    ),
    ("ledger-erase", "post"): Line(MANAGER, 404),
    ("jobs", "get"): Line(MANAGER),
    ("jobs-train", "post"): Line(MANAGER),
    ("job-retry", "post"): Line(MANAGER),
    ("missing", "get"): Line(EVERYONE, 404),
}


def routes() -> list[tuple[str, str]]:
    """(name, method) of every route below /api/."""
    return [
        (pattern.name or str(pattern.pattern), method)
        for pattern in _leaves(_api())
        for method in ("get", "post", "put", "patch", "delete")
        if hasattr(pattern.callback.view_class, method)  # type: ignore[attr-defined]
    ]


def _leaves(node: URLPattern | URLResolver) -> list[URLPattern]:
    if isinstance(node, URLPattern):
        return [node]
    return [leaf for child in node.url_patterns for leaf in _leaves(child)]


def address(name: str, scene: Scene, **ids: object) -> str:
    """The route's address for the rows of the scene."""
    if name == "missing":
        return "/api/nothing/here/"
    values = {
        "slug": scene.study.slug, "slide": scene.slide.public_id, "region": scene.region.public_id,
        "level": 9, "column": 0, "row": 0, "number": 1, "name": "labels.csv", "panel": "progress", "token": "none",
        "member": "A99",
    } | ids  # fmt: skip
    template, names = _api().reverse_dict.getlist(name)[0][0][0]
    return "/api/" + template % {key: values[key] for key in names}


def _api() -> URLResolver:
    return next(one for one in get_resolver().url_patterns if getattr(one, "app_name", "") == "api")


@pytest.fixture
def ids(scene):
    """Rows of what the scene does not have: a failed job, a finished pass with a blocker, a lease."""
    job = Job.objects.create(study=scene.study, kind=JobKind.TILE_SLIDE, key="x", state=JobState.FAILED)
    found = add_blocker(scene)
    queue.claim(member=scene.people["annotator"])
    return {"job": job.pk, "finding": found.pk}


def fingerprint() -> dict[str, str]:
    """A digest of every row of the application's tables."""
    found = {}
    with connection.cursor() as cursor:
        names = [name for name in connection.introspection.table_names(cursor) if name.startswith("annotation_")]
        for name in names:
            cursor.execute(f"SELECT coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text)), '') FROM \"{name}\" t")
            found[name] = cursor.fetchone()[0]
    return found


def test_every_route_has_a_line():
    assert sorted(routes()) == sorted(MATRIX)


@pytest.mark.parametrize(("name", "method"), sorted(MATRIX), ids=lambda value: value)
def test_route_is_open_to_those_it_is_for_and_404_to_the_rest(scene, ids, name, method):
    line = MATRIX[name, method]
    url = address(name, scene, **ids)
    before = fingerprint()
    for actor in ACTORS:
        if actor not in line.who:
            response = call(scene, actor, method, url, line)
            assert response.status_code == (401 if actor == "anonymous" else 404), actor
            assert set(response.json()) == {"error"}
    assert fingerprint() == before
    for actor in ACTORS:
        if actor in line.who:
            response = call(scene, actor, method, url, line)
            assert response.status_code == line.status, (actor, response.content)


def call(scene, actor, method, url, line):
    arguments = (line.body, "multipart" if line.multipart else "json") if method in ("post", "put", "patch") else ()
    return getattr(scene.client(actor), method)(url, *arguments)


def test_views_below_a_study_name_roles_for_each_of_their_methods():
    for pattern in _leaves(_api()):
        view = pattern.callback.view_class
        if hasattr(view, "roles"):
            methods = {method for method in ("get", "post", "put", "patch", "delete") if hasattr(view, method)}
            assert methods == set(view.roles), view.__name__
