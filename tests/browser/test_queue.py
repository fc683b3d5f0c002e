"""My queue and my answers: one key to start, honest numbers, what came back, and why there is nothing."""

import pytest

from annotation.models import Assignment, Pick
from annotation.services import picks, queue
from annotation.states import StudyState

MARKUP = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


def test_queue_tells_what_lies_ahead_and_starts_with_one_key(smear, page_for, axe, shoot):
    mine = smear.answer(smear.annotator, seconds=4.0)
    assert smear.answer(smear.colleague).region_id == mine.region_id
    lease = queue.claim(member=smear.annotator)
    queue.skip(member=smear.annotator, token=lease.token, reason=f"out of focus {MARKUP}")
    batch = picks.recheck(study=smear.study, regions=[mine.region], reason="in doubt")
    Pick.objects.filter(batch=batch).update(note=f"Look at the granules. {MARKUP}")
    lost = queue.claim(member=smear.annotator)
    assert lost.region_id == mine.region_id, "what was sent back comes first"
    typed = {"answer": None, "comment": f"torn {MARKUP}", "flagged": False}
    queue.save_entered(member=smear.annotator, token=lost.token, content=typed, version=0)
    queue.release(member=smear.annotator, token=lost.token)

    page = page_for(smear.annotator)
    page.goto(smear.url("queue"))
    page.locator("#start").wait_for()
    text = page.locator("#content").inner_text()
    assert "Answered today" in text and "at your own pace, 4 s a region" in text
    assert f"out of focus {MARKUP}" in page.locator("#skipped").inner_text()
    assert f"Look at the granules. {MARKUP}" in page.locator("#returned").inner_text()
    assert f"torn {MARKUP}" in page.locator("#drafts").inner_text()
    assert page.title() != "owned"
    axe(page)
    shoot(page, "queue")

    with page.expect_response("**/me/preferences/"):
        page.get_by_role("button", name="Understood").click()
    page.reload()
    page.locator("#start").wait_for()
    assert page.locator("[data-explains]").is_hidden(), "closed once is closed for good"
    page.keyboard.press("Enter")
    page.wait_for_url("**/annotate/")
    page.locator('#viewer[data-state="sharp"]').wait_for()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (StudyState.DRAFT, "has not been opened yet"),
        (StudyState.CLOSED, "closed"),
        (StudyState.RUNNING, "answered everything"),
    ],
)
def test_queue_says_why_there_is_nothing(smear, page_for, axe, state, words):
    smear.study.state = state
    smear.study.save()
    Pick.objects.update(slots_open=0)
    page = page_for(smear.annotator)
    page.goto(smear.url("queue"))
    page.locator(".why-empty").wait_for()
    assert words in page.locator(".why-empty").inner_text()
    page.keyboard.press("Enter")
    assert page.url.endswith("/queue/"), "there is nothing to start"
    if state == StudyState.RUNNING:
        axe(page)


def test_polling_the_queue_renews_no_lease(smear, page_for):
    lease = queue.claim(member=smear.annotator)
    page = page_for(smear.annotator)
    page.goto(smear.url("queue"))
    page.locator("#start").wait_for()
    with page.expect_response("**/queue/") as asked:
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert asked.value.ok
    assert Assignment.objects.get(pk=lease.pk).expires_at == lease.expires_at


def test_own_answers_come_in_pages_without_what_they_were_for(smear, page_for, axe, shoot, monkeypatch):
    monkeypatch.setattr("annotation.screens.answers.ON_A_PAGE", 3)
    first = smear.answer(smear.annotator, "lymphocyte", comment=MARKUP, flagged=True)
    queue.undo(member=smear.annotator, token=first.assignment.token, idempotency_key="undo")
    for _ in range(4):
        smear.answer(smear.annotator)
    smear.answer(smear.colleague, comment="not yours")
    page = page_for(smear.annotator)
    page.goto(smear.url("answers"))
    assert page.locator("tbody tr").count() == 3
    axe(page)
    shoot(page, "answers")
    page.get_by_role("link", name="Older answers").click()
    page.locator("tbody tr").nth(1).wait_for()
    text = page.locator("table").inner_text()
    assert "Taken back" in text and MARKUP in text and "not yours" not in text
    assert page.get_by_role("link", name="Older answers").count() == 0
    assert page.title() != "owned"
