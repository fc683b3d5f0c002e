"""Adjudicate, by keyboard alone: what is shown, what is asked for, what stays hidden."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Annotation, Assignment, GroundTruthRevision
from annotation.services import ledger, reviewing, truth
from annotation.states import RegionState, Role
from tests.annotation.answering import answer
from tests.browser.smear import Smear

NASTY = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


@pytest.fixture
def ties(make_smear) -> Smear:
    """Three ties, the first with a comment full of markup; the fourth region is settled."""
    smear = make_smear(queued=4, max_overlap=2)
    settle(smear)
    for who, at in ((smear.annotator, 0), (smear.colleague, 1)):
        for number in range(3):
            smear.answer(who, smear.codes[at], comment=NASTY if number == 0 and at == 0 else "", flagged=at == 1)
    assert smear.study.regions.filter(state=RegionState.ADJUDICATION).count() == 3
    return smear


def settle(smear: Smear) -> None:
    manager = smear.manager
    region = smear.regions[3]
    truth.decide(region=region, member=manager, answer=answer(smear.codes[2]), reason="Known.")


def opened(page: Page, smear: Smear) -> None:
    page.goto(smear.url("adjudicate"))
    expect(page.locator("[data-state=sharp]")).to_be_visible()


def decide(page: Page, key: str, reason: str) -> None:
    """One decision by keys; returns when the next region is there."""
    before = page.locator("[data-region]").get_attribute("data-region")
    page.keyboard.press(key)
    expect(page.get_by_role("textbox", name="Reason")).to_be_focused()
    page.keyboard.type(reason)
    page.keyboard.press("Enter")
    page.wait_for_function(
        """before => document.querySelector('.empty')
             || document.querySelector('[data-state=sharp]')?.dataset.region !== before""",
        arg=before,
    )


def test_ties_are_decided_by_keys_alone_with_a_reason_each(page_for, ties: Smear, axe, shoot) -> None:
    page = page_for(ties.adjudicator)
    opened(page, ties)
    expect(page.locator("#waiting")).to_contain_text("2 more regions wait for you")
    expect(page.locator(".why")).to_contain_text("Disagreement")
    expect(page.locator(".answer")).to_have_count(2)
    expect(page.locator(".posterior tbody tr").first).to_contain_text("%")
    page.get_by_role("button", name="Understood").focus()
    page.keyboard.press("Enter")
    axe(page)
    shoot(page, "adjudicate")
    page.keyboard.press("Digit2")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="Say why")).to_be_visible()
    page.keyboard.press("Escape")
    decide(page, "a", "Round nucleus.")
    first = GroundTruthRevision.objects.latest("id")
    assert (first.reason, first.actor, first.method) == ("Round nucleus.", ties.adjudicator, "adjudication")
    page.keyboard.press("Digit3")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("textbox", name="Reason")).to_have_value("Round nucleus.")
    page.keyboard.press("Enter")
    expect(page.locator("#waiting")).to_contain_text("0 more regions wait for you")
    decide(page, "b", "Two lobes.")
    expect(page.get_by_role("heading", name="Nothing to decide")).to_be_visible()
    axe(page)
    shoot(page, "adjudicate-empty")
    assert GroundTruthRevision.objects.filter(actor=ties.adjudicator).count() == 3
    assert ledger.verify(ties.study).ok
    page.keyboard.press("u")
    expect(page.get_by_role("textbox", name="Reason")).to_have_value("Two lobes.")
    assert Annotation.objects.filter(annotator=ties.adjudicator, kind="withdrawn").count() == 1
    page.get_by_role("textbox", name="Reason").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nothing to decide")).to_be_visible()
    assert ledger.verify(ties.study).ok


def test_comments_are_text_names_are_hidden_and_the_own_answers_never_come(page_for, ties: Smear, guard) -> None:
    judge = ties.member(Role.ADJUDICATOR)
    Assignment.objects.filter(annotator=ties.colleague).update(annotator=judge)
    other = page_for(judge)
    other.goto(ties.url("adjudicate"))
    expect(other.get_by_role("heading", name="Nothing to decide")).to_be_visible()
    expect(other.locator(".empty")).to_contain_text("3 regions wait that you have answered")
    page = page_for(ties.adjudicator)
    opened(page, ties)
    body = page.locator("body").inner_text()
    while NASTY not in page.locator("#case").inner_text():
        decide(page, "a", "Next.")
    assert page.title() != "owned"
    for member in (ties.annotator, ties.colleague):
        assert member.user.first_name not in body and f"{member.pseudonym} " not in body


def test_a_region_that_was_skipped_is_shown_as_unfinished_and_can_be_skipped(page_for, make_smear) -> None:
    smear = make_smear(queued=2, max_overlap=2)
    for pick in smear.study.picks.all():
        truth.escalate(pick=pick)
    page = page_for(smear.adjudicator)
    opened(page, smear)
    expect(page.locator(".why")).to_contain_text("Nobody answered")
    expect(page.locator(".why")).to_contain_text("not a disagreement")
    expect(page.locator(".posterior")).to_have_count(0)
    page.keyboard.press("s")
    page.keyboard.press("Digit1")
    expect(page.locator("#waiting")).to_contain_text("0 more regions wait for you. 1 other must be decided")
    assert Assignment.objects.get(annotator=smear.adjudicator, state="skipped").skip_reason == "Out of focus"


def test_answers_that_agree_are_one_line_with_why_it_came_here_all_the_same(page_for, make_smear, axe) -> None:
    smear = make_smear(queued=1, max_overlap=2)
    for member in (smear.annotator, smear.colleague):
        smear.answer(member, smear.codes[0])
    region = smear.regions[0]
    reviewing.send_back(region=region, member=smear.manager, reason="odd", note=f"Look at the rim. {NASTY}")
    truth.escalate(pick=region.picks.get(state="open"))
    page = page_for(smear.adjudicator)
    opened(page, smear)
    expect(page.locator(".why")).to_contain_text("A manager asked for it again.")
    expect(page.locator(".why .note")).to_contain_text(NASTY)
    expect(page.locator("details.agreed summary")).to_contain_text("2 answers agree: ")
    expect(page.locator(".answer").first).to_be_hidden()
    axe(page)
    decide(page, "Digit1", "They are right.")
    region.refresh_from_db()
    assert (region.current_revision.label, region.current_revision.reason) == (smear.codes[0], "They are right.")


def test_what_was_entered_is_kept_when_the_lease_is_lost(page_for, ties: Smear, guard) -> None:
    page = page_for(ties.adjudicator)
    opened(page, ties)
    page.keyboard.press("Digit1")
    page.keyboard.type("Long thought.")
    expect(page.locator(".saved")).to_have_text("Saved.")
    Assignment.objects.filter(annotator=ties.adjudicator).update(expires_at="2020-01-01T00:00:00Z")
    guard.expect(409, "/queue/submit/")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Take a region")).to_be_visible()
    expect(page.get_by_role("textbox", name="Reason")).to_have_value("Long thought.")
