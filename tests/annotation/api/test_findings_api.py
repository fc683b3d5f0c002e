"""Findings, previews and changes over HTTP: bulk decisions, pages, tables, archives."""

import shutil

import pytest
from rest_framework.test import APIClient

from annotation.models import Finding
from annotation.services import releases, truth
from tests.annotation.consistency_studies import LABELS, decided, run_pass
from tests.annotation.test_findings import plant_twins

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(settings, tmp_path):
    settings.STORE = tmp_path / "store"
    study, manager = decided(regions=12, slides=4)
    plant_twins(study, pairs=3)
    run_pass(study, manager)
    client = APIClient()
    client.force_authenticate(manager.user)
    client.base = f"/api/studies/{study.slug}/"
    client.study, client.manager = study, manager
    return client


def decide(api, **body):
    return api.post(f"{api.base}passes/1/findings/decide/", {"reason": "Known.", **body}, "json")


def test_a_bulk_decision_names_its_count_and_is_all_or_nothing(api):
    where = {"rule": "identical-regions", "state": "open"}
    for body, said in (
        ({"decision": "waive", "where": where}, "how many findings are meant"),
        ({"decision": "waive"}, "by 'ids' or by 'where'"),
        ({"decision": "waive", "where": {"since": "gone"}, "count": 1}, "nothing to decide"),
        ({"decision": "waive", "ids": [999_999]}, "has not all of these"),
        ({"decision": "wish", "ids": [1]}, "not a valid choice"),
        ({"decision": "waive", "where": where, "count": 3, "reason": " "}, "reason"),
    ):
        response = decide(api, **body)
        assert response.status_code == 400 and said in response.json()["error"]["message"], body
    stale = decide(api, decision="waive", where=where, count=2)
    assert stale.status_code == 409 and "There are 3 such findings now, not 2" in stale.json()["error"]["message"]
    done = decide(api, decision="waive", where=where, count=3).json()
    assert done["state"] == "waived" and len(done["ids"]) == 3
    undone = decide(api, decision="reopen", ids=done["ids"]).json()
    assert undone == {"ids": done["ids"], "state": "open"}
    assert set(Finding.objects.values_list("state", flat=True)) == {"open"}


def test_findings_come_with_what_the_pass_saw_and_what_may_be_done(api, django_assert_num_queries):
    with django_assert_num_queries(5):
        page = api.get(f"{api.base}passes/1/findings/?rule=identical-regions&size=2").json()
    assert page["next"] and len(page["results"]) == 2
    (first, second) = page["results"]
    assert {one["seen"] for one in first["labels"]} == {"neutrophil", "lymphocyte"}
    assert first["fixes"][0] == "recheck" and first["domain"] == "lab-1"
    only = api.get(f"{api.base}passes/1/findings/?ids={second['id']}").json()["results"]
    assert [one["id"] for one in only] == [second["id"]]
    assert len(api.get(f"{api.base}passes/1/findings.csv?rule=identical-regions").content.splitlines()) == 4
    assert api.get(f"{api.base}passes/1/findings/?ids=x").status_code == 400


def test_a_summary_costs_the_same_queries_under_any_filter(api, django_assert_num_queries):
    for query, queries in (("", 6), ("?rule=identical-regions", 7), ("?label=neutrophil&domain=lab-1&since=new", 8)):
        with django_assert_num_queries(queries):
            found = api.get(f"{api.base}passes/1/summary/{query}").json()
        assert [one["rule"] for one in found["groups"]] == ["identical-regions"]
        assert found["groups"][0]["counts"]["open_blockers"] == 3 and found["moved"]["changes"] == 0


def test_changes_of_a_second_release_come_by_page_and_by_kind(api):
    study, manager = api.study, api.manager
    decide(api, decision="accept", where={"blocks": True}, count=3)
    assert api.get(f"{api.base}passes/1/preview/").json()["against"] is None
    made = api.post(f"{api.base}releases/", {"consistency_pass": 1}, "json").json()
    assert made["number"] == 1
    for region in study.regions.order_by("public_id")[:4]:
        label = next(one for one in LABELS if one != region.current_revision.label)
        truth.decide(region=region, member=manager, answer={"kind": "class", "label": label}, reason="Seen.")
    row = run_pass(study, manager)
    preview = api.get(f"{api.base}passes/2/preview/").json()
    assert preview["against"] == 1 and preview["changes"]["relabelled"] == 4
    page = api.get(f"{api.base}passes/2/changes/?kind=relabelled&size=3").json()
    assert page["next"] == 3 and len(page["results"]) == 3 and sum(one["count"] for one in page["flows"]) == 4
    rest = api.get(f"{api.base}passes/2/changes/?kind=relabelled&size=3&start=3").json()
    assert rest["next"] is None and len(rest["results"]) == 1
    assert len(api.get(f"{api.base}passes/2/changes.csv").content.splitlines()) == 5
    # The changed labels may have made regions with the same pixels differ; how many, the names of regions decide.
    if open_ones := list(row.findings.filter(state="open").values_list("pk", flat=True)):
        waiver = {"decision": "waive", "reason": "Known.", "ids": open_ones}
        api.post(f"{api.base}passes/2/findings/decide/", waiver, "json")
    releases.freeze(study=study, consistency_pass=row, member=manager)
    told = api.get(f"{api.base}releases/2/changes/?kind=relabelled&size=3").json()
    assert (told["against"], told["counts"], told["results"]) == (1, page["counts"], page["results"])
    assert api.get(f"{api.base}releases/1/changes/").json()["against"] is None
    assert api.get(f"{api.base}releases/2/changes/?since=9").status_code == 404
    assert api.get(f"{api.base}releases/1/changes/?since=2").json()["counts"]["relabelled"] == 4


def test_an_archive_says_its_length_and_a_lost_folder_says_what_to_do(api):
    decide(api, decision="accept", where={"blocks": True}, count=3)
    api.post(f"{api.base}releases/", {"consistency_pass": 1}, "json")
    response = api.get(f"{api.base}releases/1/release.tar")
    content = b"".join(response.streaming_content)
    assert int(response["Content-Length"]) == len(content) and "attachment" in response["Content-Disposition"]
    assert api.post(f"{api.base}releases/1/verify/", {}, "json").json() == {
        "ok": True, "digest": response["Content-Disposition"] and content[:64].decode(), "regions": 12, "problems": [],
    }  # fmt: skip
    folder = releases.place(api.study.releases.get())
    shutil.rmtree(folder)
    verified = api.post(f"{api.base}releases/1/verify/", {}, "json").json()
    assert not verified["ok"] and "cut it again from its pass" in verified["problems"][0]
    assert api.get(f"{api.base}releases/1/release.tar").status_code == 404
    assert api.post(f"{api.base}releases/", {"consistency_pass": 1}, "json").status_code == 201
    assert api.post(f"{api.base}releases/1/verify/", {}, "json").json()["ok"]
