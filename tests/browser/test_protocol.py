"""Protocol: a class is split while people work; who has a tab open gets the new classes and loses nothing."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from annotation.models import Annotation, Pick, Protocol, Region
from annotation.services import ledger
from annotation.states import RegionState, Stratum
from tests.browser.test_annotate import begin, sharp, wait_until_saved, wait_until_sent

WHY = "Giant neutrophils were counted as neutrophils; the two are told apart from now on."


def _settle(smear, label: str, *, regions: int) -> None:
    others = [smear.colleague, smear.member(username="cyd")]
    for _ in range(regions):
        for person in others:
            smear.answer(person, label)


def _draft(page: Page, smear, code: str) -> None:
    """Split the class `code` into itself and a new one, by the page alone."""
    page.goto(smear.url("protocol"))
    expect(page.locator("#versions tbody tr")).to_have_count(1)
    page.locator("#begin").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#draft-title")).to_have_text("Draft of version 2")
    expect(page.locator("#impact-facts")).to_contain_text("0 regions must be seen again")
    page.locator("#add-class").click()
    page.keyboard.insert_text("Giant neutrophil")
    expect(page.locator("#saved")).to_have_text("All saved")
    expect(page.locator("#impact-notes")).to_contain_text("'giant-neutrophil' is new, and no class goes to it")
    page.locator(f"#becomes-{code}").select_option("split")
    expect(page.locator("#draft-problems")).to_contain_text("two or more different classes")
    expect(page.locator("#publish")).to_be_disabled()
    for target in (code, "giant-neutrophil"):
        page.locator(f"#into-{code}-{target}").check()
    expect(page.locator("#impact-facts")).to_contain_text("2 regions must be seen again: 4 answers at least")
    expect(page.locator(f"tr[data-source='{code}'] .badge")).to_have_text("seen again")


def test_a_class_is_split_while_people_work_and_an_open_tab_goes_on_with_the_new_classes(
    make_smear, page_for, axe, shoot, guard
) -> None:
    guard.expect(400, "protocols/draft/")
    guard.expect(409, "queue/submit/")
    smear = make_smear(min_overlap=2, show_old_answer=True)
    code = smear.codes[0]
    _settle(smear, code, regions=2)
    again = set(Region.objects.filter(study=smear.study, state=RegionState.SETTLED).values_list("public_id", flat=True))
    tab = page_for(smear.annotator)
    region = begin(tab, smear)
    tab.locator("#comment").fill("Looks smeared out.")
    wait_until_saved(tab)

    page = page_for(smear.manager)
    _draft(page, smear, code)
    axe(page)
    page.locator("#publish").click()
    expect(page.locator("#summary-problem")).to_contain_text("Say what changes")
    page.locator("#summary").fill(WHY)
    expect(page.locator("#saved")).to_have_text("All saved")
    shoot(page, "protocol")
    page.locator("#publish").click()
    expect(page.locator("dialog")).to_contain_text("2 regions must be seen again")
    page.get_by_role("button", name="Publish: 2 to be seen again").click()
    expect(page.locator("#versions tbody tr")).to_have_count(2)
    expect(page.locator("#versions tbody tr").first).to_contain_text(WHY)
    page.get_by_role("button", name="Show what differs").click()
    expect(page.locator("#difference")).to_contain_text("Giant neutrophil")
    axe(page)
    assert Protocol.objects.get(study=smear.study, number=2).published_by == smear.manager
    queued = Pick.objects.filter(study=smear.study, stratum=Stratum.RECHECK)
    assert set(queued.values_list("region__public_id", flat=True)) == again

    tab.keyboard.press("Escape")
    tab.keyboard.press("Digit1")
    expect(tab.locator("dialog")).to_contain_text(WHY)
    axe(tab)
    tab.keyboard.press("Enter")
    expect(tab.locator("button[data-class='giant-neutrophil']")).to_be_visible()
    assert not Annotation.objects.filter(annotator=smear.annotator).exists()
    assert sharp(tab) == region
    expect(tab.locator("#comment")).to_have_value("Looks smeared out.")
    tab.locator("button[data-class='giant-neutrophil']").click()
    sharp(tab, after=region)
    wait_until_sent(tab)
    given = Annotation.objects.get(annotator=smear.annotator)
    assert (given.region.public_id, given.label, given.protocol.number) == (region, "giant-neutrophil", 2)

    old = page_for(smear.colleague)
    shown = begin(old, smear)
    while shown not in again:
        expect(old.locator("#old-answer")).to_be_hidden()
        old.keyboard.press("Digit2")
        shown = sharp(old, after=shown)
    expect(old.locator("#old-answer")).to_contain_text("Your answer under version 1")
    axe(old)
    assert ledger.verify(smear.study).ok


def test_a_draft_is_thrown_away_and_nothing_has_changed(smear, page_for, axe) -> None:
    page = page_for(smear.manager)
    page.goto(smear.url("protocol"))
    expect(page.locator("#draft-body")).to_contain_text("Nothing is being changed")
    axe(page)
    page.get_by_role("button", name="Change the protocol").click()
    name = page.locator("#classes input[id^=class-code]").first
    name.fill("renamed")
    becomes = page.locator(f"#becomes-{smear.codes[0]}")
    expect(becomes).to_have_value("onto")
    expect(page.locator("#saved")).to_have_text("All saved")
    kept = Protocol.objects.get(study=smear.study, number=2).mappings.get(source_code=smear.codes[0])
    assert (kept.kind, kept.target_code) == ("renamed", "renamed")
    page.get_by_role("button", name="Throw the draft away").click()
    page.locator("dialog").get_by_role("button", name="Throw the draft away").click()
    expect(page.get_by_role("button", name="Change the protocol")).to_be_visible()
    assert not Protocol.objects.filter(study=smear.study, number=2).exists()
