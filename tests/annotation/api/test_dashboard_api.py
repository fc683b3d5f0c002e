"""The dashboard over HTTP: pinned queries, copies that are still good, CSV, and filters that do not hold."""

import csv
import io

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.models import Domain, Slide
from annotation.selectors.dashboard import PANELS, kept
from tests import factories
from tests.annotation.answering import submit

# With nothing kept; kept counts save some. Signing in and finding the study take the first three.
QUERIES = {
    "summary": 22, "progress": 11, "throughput": 8, "classes": 7, "coverage": 8, "domains": 9, "agreement": 11,
    "reliability": 11, "people": 14, "stopping": 8, "learning": 7, "models": 5, "work": 10, "findings": 7,
}  # fmt: skip
PAGE = 44


@pytest.fixture(autouse=True)
def nothing_kept():
    kept.counts.forget()


@pytest.fixture
def client(scene):
    browser = Client()
    browser.force_login(scene.people["manager"].user)
    return browser


@pytest.fixture
def answered(scene):
    """Some answers of two people, and a class whose name is a formula."""
    people = [scene.people["annotator"], factories.member(scene.study)]
    for _ in range(6):
        factories.pick(factories.region(scene.slide), stratum="random", overlap=2)
        for person in people:
            submit(person)
    Slide.objects.update(region_count=7)
    scene.study.protocol.classes.filter(code="monocyte").update(name="=1+1")
    return scene


def address(scene, panel, form="panel"):
    return reverse(f"api:dashboard-{form}", args=[scene.study.slug, panel])


def test_a_panel_takes_as_many_queries_however_much_there_is(answered, client):
    first = count_each(answered, client)
    for _ in range(3):
        other = factories.slide(answered.study, domain=Domain.objects.create(study=answered.study, name=f"l{_}"))
        factories.pick(factories.region(other), stratum="random", overlap=2)
        submit(answered.people["annotator"], "lymphocyte")
        factories.member(answered.study)
    assert count_each(answered, client) == first
    assert {panel: queries for panel, queries in first.items() if queries > QUERIES[panel]} == {}


def count_each(scene, client):
    """Panel -> queries, with nothing kept from the panel before."""
    found = {}
    for panel in PANELS:
        kept.counts.forget()
        found[panel] = count(client, address(scene, panel))
    return found


def count(client, url):
    with CaptureQueriesContext(connection) as seen:
        assert client.get(url).status_code == 200
    return len(seen)


def test_the_page_reads_once_what_its_panels_share(answered, client):
    url = reverse("screens:dashboard", args=[answered.study.slug])
    assert count(client, url) <= PAGE
    assert count(client, url) < PAGE - 5


def test_a_copy_that_is_still_good_is_not_sent_again(answered, client):
    url = address(answered, "classes")
    first = client.get(url)
    again = client.get(url, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    submit(answered.people["annotator"])
    kept.counts.forget()
    assert client.get(address(answered, "throughput"), headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_csv_holds_the_rows_of_the_json_and_no_formulas(answered, client):
    table = client.get(address(answered, "classes")).json()["tables"][0]
    answer = client.get(address(answered, "classes", "csv"))
    names, *rows = csv.reader(io.StringIO(answer.content.decode()))
    assert names == [column["name"] for column in table["columns"]]
    assert [row[2] for row in rows] == [str(row[2]) for row in table["rows"]]
    assert [row[1] for row in table["rows"]][2] == "=1+1" and rows[2][1] == "'=1+1"
    assert "attachment" in answer["Content-Disposition"]
    one = client.get(address(answered, "agreement", "csv"), {"table": "pairs"})
    assert one.content.decode().splitlines()[0] == "first,second,regions,value,low,high"


@pytest.mark.parametrize(
    ("panel", "query", "status", "says"),
    [
        ("nothing", {}, 404, "no panel 'nothing'"),
        ("progress", {"domain": "moon"}, 400, "no domain 'moon'"),
        ("work", {"annotator": "A99"}, 400, "Nobody in the study is called 'A99'"),
        ("throughput", {"since": "2026-02-02", "until": "2026-01-01"}, 400, "exchange them"),
        ("throughput", {"since": "soon"}, 400, "since"),
        ("throughput", {"colour": "red"}, 400, "Unknown field"),
    ],
)
def test_what_does_not_hold_is_named(scene, client, panel, query, status, says):
    answer = client.get(address(scene, panel), query)
    assert answer.status_code == status
    assert says in answer.json()["error"]["message"]


def test_a_table_that_is_not_there_is_named(answered, client):
    answer = client.get(address(answered, "classes", "csv"), {"table": "pairs"})
    assert answer.status_code == 404 and "it has classes" in answer.json()["error"]["message"]


def test_a_span_of_centuries_is_shown_by_week_and_one_beyond_the_calendar_refused(answered, client):
    whole = {"since": "2000-01-01", "until": "8999-12-31"}
    days = client.get(address(answered, "throughput"), whole).json()["tables"][0]
    assert len(days["rows"]) == 1 and days["columns"][0]["label"] == "Week of"
    for day in ("0001-01-01", "9999-12-31"):
        assert client.get(address(answered, "agreement"), {"since": day, "until": day}).status_code == 400
