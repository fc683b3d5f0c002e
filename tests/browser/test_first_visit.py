"""Every screen of a study explains itself once, and again when asked."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from annotation.models import Preference

WORK = ("queue", "annotate", "gallery", "answers", "adjudicate")
STEER = ("dashboard", "slides", "setup", "protocol", "passes", "releases")


@pytest.mark.parametrize(("role", "screens"), [("adjudicator", WORK), ("manager", STEER)])
def test_each_screen_explains_itself_until_it_is_told_and_again_when_asked(page_for, smear, role, screens) -> None:
    page = page_for(getattr(smear, role))
    for name in screens:
        page.goto(smear.url("" if name == "dashboard" else name))
        note = page.get_by_role("region", name="About this page")
        again = page.get_by_role("button", name="About this page")
        expect(again).to_have_attribute("aria-expanded", "true")
        with page.expect_response(lambda answer: "preferences" in answer.url and answer.ok):
            note.get_by_role("button", name="Understood").press("Enter")
        expect(note).to_be_hidden()
        page.reload()
        expect(again).to_have_attribute("aria-expanded", "false")
        expect(note).to_be_hidden()
        again.press("Enter")
        expect(note.get_by_role("button", name="Understood")).to_be_focused()
    kept = Preference.objects.get(user=getattr(smear, role).user)
    assert set(kept.explained) == set(screens)
