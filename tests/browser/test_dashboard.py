"""The manager's dashboard in a browser: charts and tables of the same rows, live, filtered by the address, by keys."""

from __future__ import annotations

import csv
import io
import re

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Job, ModelVersion
from annotation.selectors.dashboard import kept
from annotation.states import JobState, ModelState
from tests.browser import dashboards
from tests.browser.smear import Smear

DRAWN = {
    "progress-days", "throughput-days", "classes-classes", "coverage-domains", "agreement-classes",
    "reliability-people", "reliability-confusion", "learning-scores", "learning-hits",
}  # fmt: skip

# Each table of the page: the address of its CSV, and its cells as text.
TABLES = """() => [...document.querySelectorAll('.table-block')].map((block) => [
  block.querySelector('a.csv').getAttribute('href'),
  [...block.querySelectorAll('tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))])"""


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    kept.counts.forget()


@pytest.fixture
def busy(smear: Smear) -> Smear:
    dashboards.fill(smear)
    return smear


def open_dashboard(page: Page, smear: Smear, query: str = "") -> Page:
    page.goto(smear.url() + query)
    page.wait_for_function("() => window.dashboard && document.querySelector('#live[aria-pressed]')")
    return page


def read_rows(page: Page, panel: str, table: str) -> list[list[str]]:
    rows = page.locator(f"#{panel} [data-table={table}] tbody tr")
    return [row.locator("th, td").all_text_contents() for row in rows.all()]


def test_every_chart_has_words_a_table_and_the_same_numbers_as_csv(page_for, busy, axe, shoot) -> None:
    page = open_dashboard(page_for(busy.manager), busy)
    assert set(page.evaluate("() => [...window.dashboard.charts.keys()]")) == DRAWN
    for key in DRAWN:
        picture = page.locator(f"[data-chart={key}] [role=img]")
        assert picture.locator("svg").count() == 1, key
        assert len(picture.get_attribute("aria-label") or "") > 20, key
    expect(page.locator("#learning")).to_contain_text("Ranking saves 31% of the answers (95% from 12% to 46%)")
    shoot(page, "dashboard", full=True)
    for details in page.locator("details.tables > summary").all():
        details.click()
    tables = page.evaluate(TABLES)
    assert len(tables) >= 15
    for href, shown in tables:
        compare(shown, page.request.get(href).text(), href)
    axe(page)
    with page.expect_response("**/api/me/preferences/"):
        page.get_by_role("button", name="Understood").click()
    page.reload()
    expect(page.locator("[data-explains]")).to_be_hidden()


def compare(shown: list[list[str]], text: str, href: str) -> None:
    """A table on the page and its CSV hold the same rows; whole numbers, the same digits."""
    _, *rows = csv.reader(io.StringIO(text))
    assert len(shown) == len(rows), href
    for line, row in zip(shown, rows, strict=True):
        for words, cell in zip(line, row, strict=False):
            if re.fullmatch(r"[\d,]+", words):
                assert words.replace(",", "") == cell, href
            if re.fullmatch(r"[\d.]+ %", words):
                assert float(words[:-2]) == pytest.approx(100 * float(cell), abs=0.051), href


def test_filters_stand_in_the_address_and_survive_a_reload(page_for, busy, guard) -> None:
    page = open_dashboard(page_for(busy.manager), busy)
    page.keyboard.press("f")
    expect(page.get_by_label("Domain", exact=True)).to_be_focused()
    page.get_by_label("Domain", exact=True).select_option("harbour")
    page.get_by_label("Person", exact=True).select_option(busy.annotator.pseudonym)
    page.get_by_role("button", name="Apply").press("Enter")
    page.wait_for_url("**domain=harbour**")
    page.reload()
    expect(page.get_by_label("Domain", exact=True)).to_have_value("harbour")
    assert [row[0] for row in read_rows(page, "coverage", "domains")] == ["harbour"]
    assert [row[0] for row in read_rows(page, "throughput", "people")] == [busy.annotator.pseudonym]
    expect(page.locator("#classes .ignored")).to_contain_text("Not narrowed by person")
    href = page.locator("#throughput [data-table=people] a.csv").get_attribute("href")
    assert "domain=harbour" in href and page.request.get(href).text().count("\n") == 2
    page.get_by_role("link", name="Show everything").click()
    expect(page.locator("#coverage [data-table=domains] tbody tr")).to_have_count(3)
    open_dashboard(page, busy, "?domain=nowhere")
    expect(page.locator("#filter-problem")).to_contain_text("no domain 'nowhere'")


def test_it_follows_the_work_and_is_told_when_nothing_changed(page_for, busy) -> None:
    page = open_dashboard(page_for(busy.manager), busy)
    with page.expect_response(lambda one: "/dashboard/progress/" in one.url and one.status == 304, timeout=40_000):
        pass
    before = page.locator("#summary .tile-value").first.text_content()
    page.locator("#progress details summary").click()
    busy.answer(busy.annotator)
    busy.answer(busy.colleague)
    kept.counts.forget()
    expect(page.locator("#summary .tile-value").first).not_to_have_text(before, timeout=30_000)
    page.keyboard.press("r")
    expect(page.locator("#progress [data-table=states] tbody tr").first).to_contain_text(str(int(before) + 1))
    expect(page.locator("#progress details")).to_have_attribute("open", "")
    page.keyboard.press("l")
    expect(page.get_by_role("button", name="Live updates: off")).to_have_attribute("aria-pressed", "false")


def test_going_back_to_a_model_asks_why_and_failed_jobs_are_retried_by_keys(page_for, busy) -> None:
    page = open_dashboard(page_for(busy.manager), busy)
    back = page.get_by_role("button", name="Go back to this model: 1")
    back.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Make it active").press("Enter")
    expect(dialog).to_be_visible()  # no reason yet
    page.get_by_label("Why?").fill("<b>It was steadier</b>")
    page.get_by_role("button", name="Make it active").press("Enter")
    expect(page.get_by_text("Model 1 is active.", exact=True).first).to_be_visible()
    expect(page.locator("#models [data-table=models] tbody tr").nth(2)).to_contain_text("<b>It was steadier</b>")
    assert ModelVersion.objects.get(study=busy.study, state=ModelState.ACTIVE).number == 1
    page.get_by_role("button", name=re.compile("^Retry: ")).press("Enter")
    expect(page.get_by_text("waits for a worker again").first).to_be_visible()
    assert not Job.objects.filter(study=busy.study, state=JobState.FAILED).exists()
    expect(page.get_by_role("button", name=re.compile("^Retry: "))).to_have_count(0)


def test_what_to_do_next_leads_there(page_for, busy) -> None:
    page = open_dashboard(page_for(busy.manager), busy)
    page.keyboard.press("n")
    expect(page.locator("#next-title")).to_be_focused()
    links = {link.text_content(): link.get_attribute("href") for link in page.locator(".actions a").all()}
    assert links["1 job failed."] == "#work"
    assert links["1 blocker of pass 1 is open."] == busy.url("passes/1")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**#work")


def test_the_watch_over_domains_says_what_was_found_and_leads_to_the_slides(page_for, busy, shoot) -> None:
    page = open_dashboard(page_for(busy.manager), busy)
    table = page.locator("#domains [data-table=domains]")
    harbour, north, valley = (table.locator("tbody tr").nth(place) for place in range(3))
    expect(harbour).to_contain_text("Unlike what is known")
    expect(harbour).to_contain_text("with AUC 0.93")
    expect(north).to_contain_text("Known: the model has learned from all of its 12 cases.")
    expect(valley).to_contain_text("Never seen by model 2.")
    expect(page.locator("#domains .notes")).to_contain_text("Model 2 has never seen valley")
    told = page.locator(".actions li", has_text="has never seen valley")
    expect(told).to_contain_text("Its quota of the next batches is at least")
    expect(told.locator("a")).to_have_attribute("href", "#domains")
    page.locator("#domains").scroll_into_view_if_needed()
    shoot(page, "domains")
    # Once from the server and once drawn by the script.
    for _ in range(2):
        expect(valley.locator("a")).to_have_attribute("href", f"{busy.url('slides')}?domain=valley")
        kept.counts.forget()
        with page.expect_response(lambda one: "/dashboard/domains/" in one.url):
            page.keyboard.press("r")
    valley.locator("a").press("Enter")
    page.wait_for_url("**/slides/?domain=valley")
    expect(page.get_by_label("Domain", exact=True)).to_have_value("valley")


def test_a_young_study_says_what_to_do_and_works_without_a_script(new_page, sign_in, smear, axe, page_for) -> None:
    page = open_dashboard(page_for(smear.manager), smear)
    expect(page.locator("#throughput .empty")).to_contain_text("Nobody answered")
    expect(page.locator("#learning .empty")).to_contain_text("There is no model yet")
    expect(page.locator("#domains .empty")).to_contain_text("No model is active yet")
    expect(page.locator("#findings .empty")).to_contain_text("No consistency pass has been run")
    axe(page)
    bare = sign_in(new_page(java_script_enabled=False), smear.manager)
    bare.goto(smear.url())
    assert [row[0] for row in read_rows(bare, "coverage", "domains")] == ["harbour", "north", "valley"]


def test_those_who_work_find_no_dashboard(page_for, smear, guard) -> None:
    guard.expect(404, smear.url())
    assert page_for(smear.annotator).goto(smear.url()).status == 404
