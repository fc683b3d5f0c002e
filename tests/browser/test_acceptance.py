from __future__ import annotations

import pytest
from playwright.sync_api import expect

from annotation.models import AcceptanceSample, Region
from annotation.services import loop, queue
from annotation.states import PickState, Role, StudyState
from tests import factories
from tests.browser import planted


@pytest.fixture
def frozen(smear):
    """A pass over regions that the manager decided, and people who have never seen them."""
    smear.study.state = StudyState.RUNNING
    smear.study.save(update_fields=["state"])
    smear.study.picks.filter(state=PickState.OPEN).update(state=PickState.SUPERSEDED, slots_open=0)
    planted.plant(smear)
    people = [factories.member(smear.study) for _ in range(3)]
    judge = factories.member(smear.study, Role.ADJUDICATOR)
    return planted.run_pass(smear), people, judge


def answer_all(person, *, kind: str = "label", disagrees: bool = False) -> None:
    reason = {"reason": "Seen in the picture."} if kind == "adjudicate" else {}
    while (lease := queue.claim(member=person, kind=kind)) is not None:
        codes = ["neutrophil", "lymphocyte"]
        stands = Region.objects.select_related("current_revision").get(pk=lease.region_id).current_revision.label
        label = next(code for code in codes if code != stands) if disagrees else stands
        answer = {"kind": "class", "label": label}
        queue.submit(member=person, token=lease.token, answer=answer, idempotency_key=lease.token[:60], **reason)


def test_a_manager_has_a_sample_answered_blind_and_reads_what_is_still_wrong(
    page_for, smear, frozen, axe, shoot
) -> None:
    row, people, judge = frozen
    page = page_for(smear.manager)
    page.goto(smear.url(f"passes/{row.number}"))
    panel = page.locator("section", has=page.locator("#sample"))
    expect(panel).to_contain_text("What a sample would tell at best")
    page.get_by_label("Regions, of 16").fill("4")
    page.get_by_label("Regions, of 16").press("Tab")
    expect(page.locator("#said")).to_contain_text("4 regions: the share lies between")
    axe(page)
    shoot(page, "sample-before", full=True)
    page.get_by_role("button", name="Draw the sample").press("Enter")
    expect(panel).to_contain_text("0 of 4 regions done; 4 regions wait for answers")

    # Given up by keyboard, and drawn again.
    page.get_by_role("button", name="Abandon the sample").press("Enter")
    page.get_by_role("button", name="Abandon", exact=True).press("Enter")
    expect(panel).to_contain_text("What a sample would tell at best")
    page.get_by_label("Regions, of 16").fill("4")
    page.get_by_role("button", name="Draw the sample").click()
    expect(panel).to_contain_text("Sample 2: 0 of 4 regions done")
    answer_all(people[0], disagrees=True)
    for person in people[1:]:
        answer_all(person)
    page.reload()
    expect(panel).to_contain_text("4 for an adjudicator")
    axe(page)
    shoot(page, "sample-running", full=True)
    answer_all(judge, kind="adjudicate", disagrees=True)
    loop.nudge(study=smear.study)
    sample = AcceptanceSample.objects.get(number=2)
    page.reload()
    expect(panel).to_contain_text("Estimated share of wrong labels")
    expect(panel).to_contain_text("4 regions got another class")
    expect(panel.get_by_role("button", name="Draw another sample")).to_be_visible()
    axe(page)
    shoot(page, "sample-result", full=True)
    assert sample.numbers["share"][0] > 0
