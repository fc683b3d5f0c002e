from __future__ import annotations

from playwright.sync_api import expect

from annotation.models import Slide
from tests import factories
from tests.browser import planted


def test_the_first_page_leads_each_person_to_the_next_thing(page_for, smear, axe, shoot) -> None:
    stranger = factories.member(factories.study(name='<b onclick="x()">Other</b>'), "manager")
    page = page_for(stranger)
    page.goto("/admin/")
    expect(page.get_by_role("heading", name='<b onclick="x()">Other</b>')).to_be_visible()
    expect(page.get_by_role("link", name="Go on with the set-up")).to_be_visible()

    page = page_for(smear.annotator)
    page.goto("/admin/")
    expect(page.locator(".card")).to_have_count(1)
    expect(page.get_by_role("heading", name="Rows")).to_have_count(0)
    axe(page)
    expect(page.get_by_role("link", name="Start labelling")).to_have_attribute("href", smear.url("annotate"))

    planted.plant(smear)
    planted.run_pass(smear)
    Slide.objects.filter(study=smear.study).update(region_count=20)
    page = page_for(smear.manager)
    page.goto("/admin/")
    expect(page.locator(".card")).to_contain_text("16 of 60 regions settled")
    expect(page.get_by_role("heading", name="Rows")).to_be_visible()
    axe(page)
    shoot(page, "home")
    page.get_by_role("link", name="Decide 11 blockers of pass 1").press("Enter")
    expect(page.locator(".finding")).to_have_count(11)
