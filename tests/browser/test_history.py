"""History of a region: the timeline, as of a moment, restore, send back; nothing written by people does anything."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from annotation.models import ClassExample, Gold, GroundTruthRevision, Pick, Region
from annotation.selectors import history
from annotation.services import ledger, queue, truth
from annotation.states import PickState, RegionState, Role
from tests.annotation.answering import answer
from tests.browser.smear import Smear

NASTY = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


@pytest.fixture
def told(make_smear) -> tuple[Smear, Region]:
    """A region that two people disputed, an adjudicator decided, and a manager decided otherwise."""
    smear = make_smear(queued=1, max_overlap=2)
    region = smear.regions[0]
    # Neither gold nor of the audit sample: those may be no examples.
    Gold.objects.filter(region=region).delete()
    Region.objects.filter(pk=region.pk).update(audit_half="")
    smear.answer(smear.annotator, smear.codes[0], comment=NASTY)
    smear.answer(smear.colleague, smear.codes[2])
    lease = queue.claim(member=smear.adjudicator, kind="adjudicate")
    sent = {"token": lease.token, "answer": answer(smear.codes[0]), "idempotency_key": "j"}
    queue.submit(member=smear.adjudicator, reason=f"Lobes. {NASTY}", **sent)
    truth.decide(region=region, member=smear.manager, answer=answer(smear.codes[1]), reason="I looked.")
    return smear, region


def opened(page: Page, smear: Smear, region: Region, query: str = "") -> None:
    page.goto(smear.url(f"regions/{region.public_id}") + query)
    expect(page.locator("[data-state=sharp]")).to_be_visible()
    expect(page.locator(".timeline")).to_be_visible()


def give_reason(page: Page, words: str, button: str) -> None:
    page.get_by_role("dialog").get_by_label("Reason").fill(words)
    page.get_by_role("dialog").get_by_role("button", name=button).click()


def test_a_manager_restores_a_revision_by_keys_and_the_old_ones_stay(page_for, told, axe, shoot) -> None:
    smear, region = told
    before = list(GroundTruthRevision.objects.filter(region=region).order_by("number").values())
    page = page_for(smear.manager)
    opened(page, smear, region)
    titles = page.locator(".timeline h3")
    expect(titles).to_have_text(
        [
            "Queued because the ranking chose it", "A1 answered", "A2 answered", "A3 adjudicated",
            "Revision 1: Adjudication", "Revision 2: Decided by a manager",
        ]
    )  # fmt: skip
    assert NASTY in page.locator(".timeline").inner_text() and page.title() != "owned"
    expect(page.locator(".timeline")).not_to_contain_text(smear.annotator.user.first_name)
    axe(page)
    shoot(page, "history", full=True)
    page.get_by_role("button", name="Restore… revision 1").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_label("Reason")).to_be_focused()
    axe(page)
    page.keyboard.type("The adjudicator was right.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(titles.last).to_have_text("Revision 3: Restored")
    expect(page.locator(".truth")).to_contain_text("Segmented neutrophil")
    assert list(GroundTruthRevision.objects.filter(region=region).order_by("number").values())[:2] == before
    third = GroundTruthRevision.objects.get(region=region, number=3)
    assert (third.label, third.method, third.actor) == (smear.codes[0], "restore", smear.manager)
    assert third.reason == "Revision 1 restored: The adjudicator was right."
    assert ledger.verify(smear.study).ok
    expect(page.locator(".comparison tr.differs").first).to_be_visible()
    expect(page.get_by_label("Before")).to_have_value("2")


def test_as_of_a_moment_stands_in_the_address_and_moves_by_keys(page_for, told, axe) -> None:
    smear, region = told
    page = page_for(smear.manager)
    moment = GroundTruthRevision.objects.get(region=region, number=1).created_at
    opened(page, smear, region, f"?as_of={moment.isoformat().replace('+', '%2B')}")
    expect(page.get_by_role("heading", name="What stood then")).to_be_visible()
    expect(page.locator(".truth")).to_contain_text("Segmented neutrophil")
    expect(page.locator(".event.later")).to_have_count(1)
    axe(page)
    page.keyboard.press("p")
    page.wait_for_url("**as_of=**")
    expect(page.locator(".moment")).to_contain_text("after: A2 answered")
    expect(page.locator(".truth")).to_have_text("Undecided")
    expect(page.locator(".given tbody tr")).to_have_count(2)
    page.get_by_label("As of", exact=False).first.focus()
    page.keyboard.press("End")
    expect(page.locator(".truth")).to_contain_text("Band neutrophil")
    page.get_by_role("button", name="Now", exact=True).click()
    expect(page.get_by_role("heading", name="What stands")).to_be_visible()
    assert "as_of" not in page.url


def test_a_region_is_sent_back_with_a_note_decided_left_out_and_shown_as_an_example(page_for, told, axe) -> None:
    smear, region = told
    page = page_for(smear.manager)
    opened(page, smear, region)
    page.get_by_role("button", name="Show as an example").click()
    page.get_by_role("dialog").get_by_label("Caption").fill(NASTY)
    page.get_by_role("dialog").get_by_role("button", name="Show it to everybody").click()
    expect(page.get_by_role("button", name="No longer an example of Band")).to_be_visible()
    assert ClassExample.objects.get(region=region).caption == NASTY
    page.get_by_role("button", name="Send back to annotators").click()
    page.get_by_role("dialog").get_by_label("Note").fill("Look at the rim.")
    give_reason(page, "Borderline.", "Send back")
    expect(page.locator(".truth")).to_have_text("Open: people are being asked")
    assert Pick.objects.get(region=region, state=PickState.OPEN).note == "Look at the rim."
    expect(page.locator(".timeline h3").last).to_have_text("Revision 3: Asked again")
    axe(page)
    page.get_by_role("button", name="Leave out").click()
    give_reason(page, "Blurred.", "Leave out")
    expect(page.locator(".truth")).to_have_text("Left out of the dataset")
    page.get_by_role("button", name="Decide…").click()
    page.get_by_role("dialog").get_by_label("Class").select_option(smear.codes[3])
    give_reason(page, "Sharp enough.", "Decide")
    expect(page.locator(".timeline h3").last).to_have_text("Revision 5: Decided by a manager")
    region.refresh_from_db()
    assert (region.state, region.current_revision.label) == (RegionState.SETTLED, smear.codes[3])
    assert page.title() != "owned" and ledger.verify(smear.study).ok


def test_a_region_without_a_past_says_what_comes_next_and_nobody_else_looks_in(page_for, told, guard, axe) -> None:
    smear, _ = told
    fresh = smear.regions[-1]
    page = page_for(smear.manager)
    page.goto(smear.url(f"regions/{fresh.public_id}"))
    expect(page.locator(".empty")).to_contain_text("waits in the pool")
    expect(page.get_by_role("button", name="Send back")).to_have_count(0)
    axe(page)
    guard.expect(404, f"regions/{fresh.public_id}/")
    for member in (smear.annotator, smear.member(Role.ADJUDICATOR)):
        other = page_for(member)
        assert other.goto(smear.url(f"regions/{fresh.public_id}")).status == 404
    assert history.read(fresh).events == []
