from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from annotation.models import ConsistencyPass, Finding, Pick, Region
from annotation.services import findings, ledger
from annotation.states import RegionState
from tests.browser import planted

MARKUP = '<img src=x onerror="window.broken = 1"><b>known</b>'


@pytest.fixture
def blocked(smear):
    """The study with five contradictions and six classes under their quota, seen by pass 1."""
    planted.plant(smear)
    return planted.run_pass(smear)


def states(rule: str) -> list[str]:
    return list(Finding.objects.filter(rule=rule).order_by("pk").values_list("state", flat=True))


def answer(page: Page, reason: str) -> None:
    """Give the reason that the dialog asks for, and go on."""
    expect(page.locator("dialog textarea")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(reason)
    page.keyboard.press("Control+Enter")
    expect(page.locator("dialog")).to_have_count(0)


def test_a_pass_is_started_followed_to_its_end_and_grows_old(page_for, smear, axe, shoot) -> None:
    page = page_for(smear.manager)
    page.goto(smear.url("passes"))
    expect(page.locator("#none")).to_contain_text("There is no pass yet")
    page.get_by_role("button", name="Understood").click()
    axe(page)
    planted.plant(smear)
    page.keyboard.press("r")
    row = page.locator("tr[data-pass='1']")
    expect(row).to_contain_text("waits for a worker")
    expect(page.get_by_role("button", name="Run a pass")).to_be_disabled()
    planted.work(smear, ConsistencyPass.objects.get())
    expect(row.locator(".badge").first).to_have_text("done")
    expect(row.locator("td").nth(2)).to_have_text("11")
    expect(page.locator("#said")).to_have_text("Pass 1 has finished: 11 open blockers, 0 open warnings.")
    page.reload()
    expect(page.locator("[data-explains]")).to_be_hidden()
    expect(page.locator("#stale")).to_contain_text("is up to date")
    shoot(page, "passes")
    planted.decide(smear, smear.regions[20:22])
    page.reload()
    expect(page.locator("#stale")).to_contain_text("2 changes to answers and truth came after it")
    page.get_by_role("link", name="Pass 1", exact=True).click()
    expect(page.locator("#since")).to_contain_text("The truth has moved on: 2 changes")
    expect(page.locator("#since")).to_contain_text("It is the first pass")
    expect(page.locator("#blocks li")).to_have_text(
        [re.compile("Class under quota: 6 open."), re.compile("Identical regions with different labels: 5 open.")]
    )


def test_findings_are_decided_one_by_one_and_in_bulk_by_keyboard_alone(page_for, smear, blocked, axe, shoot) -> None:
    page = page_for(smear.manager)
    page.goto(smear.url("passes/1"))
    expect(page.locator(".finding")).to_have_count(11)
    for image in page.locator(".finding img").all():
        image.scroll_into_view_if_needed()
        image.evaluate("(image) => image.decode()")
    axe(page)
    shoot(page, "pass", full=True)
    page.get_by_role("heading", level=1).click()

    # One finding, with a reason that holds markup.
    page.keyboard.press("n")
    expect(page.locator(".finding").first).to_be_focused()
    page.keyboard.press("w")
    answer(page, MARKUP)
    first = page.locator(".finding").first
    expect(first.locator("q")).to_have_text(MARKUP)
    expect(first).to_be_focused()
    expect(page.locator("#blocks")).to_contain_text("Class under quota: 5 open.")
    assert states("class-quota").count("waived") == 1 and page.evaluate("() => window.broken") is None

    # All the rest of the rule at once, taken back, then for good; the number is named each time.
    page.keyboard.press("Shift+s")
    expect(page.locator("#bulk")).to_contain_text("5 findings selected of Class under quota")
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Accept (5 findings)")).to_be_visible()
    answer(page, "Rare in these cases.")
    quota = page.locator(".rule-group[data-rule='class-quota'] .finding")
    expect(quota.and_(page.locator(".resolved"))).to_have_count(5)
    expect(page.locator("#blocks")).not_to_contain_text("Class under quota")
    expect(page.locator("#bulk")).to_be_hidden()
    assert states("class-quota").count("resolved") == 5
    expect(page.get_by_role("button", name="Undo")).to_have_count(1)
    page.keyboard.press("u")
    expect(quota.and_(page.locator(".open"))).to_have_count(5)
    expect(page.locator("#blocks")).to_contain_text("Class under quota: 5 open.")
    first.focus()
    page.keyboard.press("Shift+s")
    page.keyboard.press("a")
    answer(page, "Rare in these cases.")
    expect(quota.and_(page.locator(".resolved"))).to_have_count(5)
    expect(page.locator("#blocks")).not_to_contain_text("Class under quota")

    # Reopening, and selecting by hand.
    first.focus()
    page.keyboard.press("o")
    answer(page, "In doubt.")
    expect(first).to_contain_text("Reopened by A4")
    page.keyboard.press("s")
    expect(page.locator("#bulk")).to_contain_text("1 finding selected")
    page.keyboard.press("w")
    answer(page, "Known.")
    expect(first.locator("q")).to_have_text("Known.")
    assert set(states("class-quota")) == {"resolved", "waived"}

    # What changes the truth is fixed, but the pass has not seen it.
    twins = page.locator(".rule-group[data-rule='identical-regions'] .finding")
    twins.first.focus()
    page.keyboard.press("r")
    answer(page, "The focus was poor.")
    expect(twins.first.locator("figcaption .badge").first).to_have_text("open again")
    page.keyboard.press("n")
    page.keyboard.press("x")
    answer(page, "Blurred.")
    expect(page.locator("#blocks")).to_contain_text("3 open, 2 fixed since, which a new pass has to see")
    expect(twins.nth(1)).to_contain_text("left out since")
    assert Pick.objects.filter(stratum="recheck").count() == 2
    assert Region.objects.filter(state=RegionState.EXCLUDED).count() == 1
    assert ledger.verify(smear.study).ok


def test_filters_stand_in_the_address_and_say_what_is_new_known_and_gone(page_for, smear, blocked, axe) -> None:
    Region.objects.filter(pixel_digest__in=[f"{pair:064x}" for pair in range(2)]).update(pixel_digest="")
    planted.run_pass(smear)
    page = page_for(smear.manager)
    page.goto(smear.url("passes/2"))
    expect(page.locator("#since")).to_contain_text("Compared with pass 1: 0 new, 0 changed, 9 known already, 2 gone.")
    page.get_by_role("link", name="2 gone").click()
    expect(page.locator(".finding")).to_have_count(2)
    expect(page.locator(".finding button")).to_have_count(0)
    page.get_by_label("Compared with").select_option("Known already")
    page.get_by_label("Rule").select_option("Identical regions with different labels")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".finding")).to_have_count(3)
    assert "rule=identical-regions" in page.url and "since=kept" in page.url
    page.reload()
    expect(page.locator(".finding")).to_have_count(3)
    expect(page.get_by_label("Rule")).to_have_value("identical-regions")
    with page.expect_download() as caught:
        page.get_by_role("link", name="CSV").click()
    assert len(caught.value.path().read_text().splitlines()) == 4
    page.get_by_label("Class").select_option("monocyte")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#groups")).to_contain_text("No finding fits these filters.")
    axe(page)
    page.go_back()
    expect(page.locator(".finding")).to_have_count(3)


def test_a_bulk_decision_is_refused_when_the_list_has_changed_meanwhile(page_for, smear, blocked, guard) -> None:
    guard.expect(409, "findings/decide/")
    page = page_for(smear.manager)
    page.goto(smear.url("passes/1") + "?rule=identical-regions")
    page.get_by_role("button", name="Select all 5 open of this rule").click()
    findings.accept(finding=Finding.objects.filter(rule="identical-regions")[0], member=smear.manager, reason="Fine.")
    page.locator("#bulk").get_by_role("button", name="Waive").click()
    answer(page, "Known.")
    expect(page.locator(".toast.bad")).to_contain_text("There are 4 such findings now, not 5")
    assert "waived" not in states("identical-regions")
