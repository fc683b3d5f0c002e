"""The timeline: two moments compared, an entry and a session taken back after a look, an anchor, a person erased."""

from __future__ import annotations

from playwright.sync_api import expect

from annotation import chain
from annotation.models import Annotation, LedgerAnchor, LedgerEntry, Membership
from annotation.services import ledger, picks, truth

NASTY = "<img src=x onerror=\"document.title='owned'\">"


def test_a_manager_looks_back_takes_back_anchors_and_erases(page_for, make_smear, axe, shoot) -> None:
    smear = make_smear(queued=6, max_overlap=2)
    page = page_for(smear.manager)
    page.goto(smear.url("timeline"))
    lines = page.locator("#ledger tbody tr")
    expect(lines).to_have_count(1)
    expect(lines).to_contain_text("A protocol was published")
    expect(page.locator("#anchors .empty")).to_contain_text("never carried outside")
    axe(page)
    for place in range(4):
        for person in (smear.annotator, smear.colleague):
            smear.answer(person, smear.codes[0], comment=NASTY if place == 0 else "")
    truth.decide(
        region=smear.regions[0], member=smear.manager, answer={"kind": "class", "label": smear.codes[1]}, reason=NASTY
    )
    picks.recheck(study=smear.study, regions=smear.regions[1:3], reason="In doubt.")
    page.reload()
    expect(lines).to_have_count(3)
    expect(lines.nth(0)).to_contain_text("2 regions asked again")
    expect(lines.nth(1)).to_contain_text(NASTY)
    page.get_by_label("Show single answers too").check()
    expect(lines).to_have_count(11)

    # Two moments: by entry, with pictures and links; by the entry's own button.
    page.get_by_role("button", name="What it changed : entry 11").click()
    expect(page.locator("#moments .difference")).to_contain_text("open again: 2")
    page.get_by_role("button", name="open again: 2").click()
    expect(page.locator(".moment-cards li")).to_have_count(2)
    expect(page.locator(".moment-cards img").first).not_to_have_js_property("naturalWidth", 0)
    page.locator("#since").fill("0")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("#moments .difference")).to_contain_text("settled: 2")

    # An entry goes back after a look.
    page.get_by_role("button", name="Take this back… : entry 11").click()
    expect(page.locator("dialog")).to_contain_text("2 regions go back to what stood before.")
    axe(page)
    page.get_by_role("dialog").get_by_label("Reason").fill("Asked too soon.")
    page.get_by_role("button", name="Take it back").click()
    expect(page.locator("#ledger tbody tr").first).to_contain_text("took an entry back")
    assert LedgerEntry.objects.filter(study=smear.study, kind="take-back").count() == 1

    # A session is set aside after a look.
    page.locator("#person").select_option(smear.annotator.pseudonym)
    session = page.locator("#sessions tbody tr")
    expect(session).to_have_count(1)
    expect(session).to_contain_text("75 % of 4")
    shoot(page, "timeline", full=True)
    session.get_by_role("button").click()
    expect(page.locator("dialog")).to_contain_text("4 answers no longer count.")
    expect(page.locator("dialog")).to_contain_text("stand by somebody's decision")
    page.get_by_role("dialog").get_by_label("Reason").fill("Drifted.")
    page.get_by_role("button", name="Set it aside").click()
    expect(page.locator("#people .empty")).to_contain_text("No answer of this person counts")
    assert Annotation.objects.filter(annotator=smear.annotator, kind="withdrawn").count() == 4

    # An anchor that the verifier reads.
    page.get_by_role("button", name="Take an anchor now").click()
    (anchor,) = chain.read_anchors([page.locator(".anchor-line code").inner_text()])
    assert ledger.verify(smear.study, anchors=[anchor]).ok
    expect(page.locator("#anchor-list tbody tr")).to_have_count(1)
    assert LedgerAnchor.objects.get().position == anchor.position
    with page.expect_download() as caught:
        page.get_by_role("link", name="Download the ledger").click()
    export, problems = chain.check_export(caught.value.path().read_text().splitlines(), anchors=[anchor])
    assert (problems, export.position) == ([], anchor.position)

    # The person is erased; the page says so, and the ledger holds.
    page.get_by_role("button", name="Erase name and free text").click()
    expect(page.locator("dialog")).to_contain_text("Reasons of decisions are part of the history and can't be erased")
    page.get_by_role("button", name="Erase for good").click()
    expect(page.locator("#people")).to_contain_text("have been erased")
    assert Membership.objects.get(pk=smear.annotator.pk).erased_at
    assert ledger.verify(smear.study, anchors=[anchor]).ok
    assert page.title() != "owned"
    axe(page)
