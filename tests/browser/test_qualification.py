"""The entry test by keyboard: said on the queue page, taught where the study says so, decided by the manager."""

from playwright.sync_api import expect

from annotation.models import Membership, Region
from annotation.services import gold, studies
from annotation.services.queue import claim
from tests.browser.test_annotate import DRAWN


def test_an_entry_test_is_announced_taught_failed_and_decided_by_the_manager(make_smear, page_for, axe, shoot):
    smear = make_smear(queued=4)
    free = smear.regions[10:14]
    pairs = [(region.public_id, region.known_truth.label) for region in free]
    gold.add(study=smear.study, regions_and_labels=pairs, member=smear.manager, is_qualification=True)
    values = {"qualification_regions": 2, "qualification_share": 1.0, "gold_feedback": True}
    studies.update_policy(study=smear.study, values=values)

    page = page_for(smear.annotator)
    page.goto(smear.url("queue"))
    page.locator("#entry-test").wait_for()
    assert "0 of 2 answered" in page.locator("#entry-test").inner_text()
    axe(page)
    page.keyboard.press("Enter")
    page.wait_for_url("**/annotate/")
    first, name = answer_shown(page, smear)
    assert f"right: {name}" in page.locator("#taught").inner_text()
    answer_shown(page, smear, after=first, is_right=False)
    assert "you answered" in page.locator("#taught").inner_text()
    axe(page)
    shoot(page, "taught")
    expect(page.locator("#nothing")).to_contain_text("fewer answers were right")

    manager = page_for(smear.manager)
    manager.goto(smear.url())
    manager.get_by_role("link", name="has not passed the entry test: 1 of 2 right").wait_for()
    axe(manager)
    manager.goto(smear.url("setup") + "?step=members")
    manager.get_by_role("button", name="Let work: ana").press("Enter")
    manager.locator("#members").get_by_text("passed").wait_for()
    axe(manager)
    assert Membership.objects.get(pk=smear.annotator.pk).qualified_at is not None
    found = claim(member=Membership.objects.select_related("study").get(pk=smear.annotator.pk))
    assert found is not None and found.kind == "label"


def answer_shown(page, smear, *, after="", is_right=True):
    """Answer the region that is drawn, rightly or not; (its id, the class that it is)."""
    page.wait_for_function(DRAWN, arg=after)
    shown = page.locator("#viewer").get_attribute("data-region")
    truth = Region.objects.get(study=smear.study, public_id=shown).known_truth.label
    place = smear.codes.index(truth) if is_right else (smear.codes.index(truth) + 1) % 5
    with page.expect_response("**/queue/submit/") as sent:
        page.keyboard.press(f"Digit{place + 1}")
    assert sent.value.json()["feedback"]["is_right"] is is_right
    page.locator(f'#taught[data-right="{str(is_right).lower()}"]').wait_for()
    return shown, smear.study.current_protocol.classes.get(code=truth).name
