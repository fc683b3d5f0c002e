"""The gallery: many cells by keys, each an answer of its own, kept until it is sent."""

import numpy as np
from django.conf import settings
from django.contrib.sessions.models import Session

from annotation.models import Annotation, Assignment, Draft, FeatureShard, LabelClass, Pick, Region
from annotation.services import queue
from annotation.states import AnswerKind, AssignmentState, Stratum
from tests import factories

CELL = "#grid [role=option]"
READY = '#grid[aria-busy="false"]'
MARKUP = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
LARGEST = 200
# Keys pressed for the report; the first ones warm up.
PRESSES = 30
_TIMED_KEY = """async (code) => {
  const start = performance.now();
  const key = {code, key: code.slice(-1), bubbles: true, cancelable: true};
  document.activeElement.dispatchEvent(new KeyboardEvent('keydown', key));
  const handled = performance.now() - start;
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  return [handled, performance.now() - start];
}"""


def open_gallery(page, smear, *, cells):
    """Go to the gallery and wait until so many cells are there."""
    page.goto(smear.url("gallery"))
    page.wait_for_selector(READY)
    assert page.locator(CELL).count() == cells


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def shown(page):
    """Region and label of each cell on the board, in order."""
    return page.eval_on_selector_all(CELL, "(all) => all.map((one) => [one.dataset.region, one.dataset.label])")


def standing(member):
    """What the member has said and not taken back, by region."""
    rows = Annotation.objects.filter(annotator=member, corrections=None).exclude(kind=AnswerKind.WITHDRAWN)
    return {row.region.public_id: row.label for row in rows.select_related("region")}


def said(page, text):
    """Wait until the state at the bottom, or a message, says so."""
    page.wait_for_function("(text) => document.body.innerText.includes(text)", arg=text)


def write_features(smear):
    """Regions of every third index are alike, on all slides."""
    for slide in smear.slides:
        count = Region.objects.filter(slide=slide).count()
        rows = np.zeros((count, 2), dtype=np.float16)
        rows[:, 0] = np.arange(count) % 3 * 10
        name = f"features/browser/{slide.checksum}.npy"
        path = settings.STORE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, rows)
        FeatureShard.objects.create(
            slide=slide,
            tiling_digest=slide.tiling_digest,
            encoder_digest="e" * 64,
            stored_name=name,
            checksum="c",
            rows=count,
        )


def test_batch_is_labelled_in_bulk_sent_and_taken_back_by_keys_alone(make_smear, page_for, axe, shoot):
    smear = make_smear(gallery_batch=24, queued=40)
    member, codes = smear.annotator, smear.codes
    page = page_for(member)
    open_gallery(page, smear, cells=24)
    regions = [region for region, _ in shown(page)]
    assert "suggest" not in page.inner_text("body").lower()

    press(page, "Digit1", "Digit2", "Digit3", "f")
    press(page, "Shift+ArrowRight", "Shift+ArrowRight", "Digit4")
    press(page, "c")
    page.wait_for_selector("#surroundings img")
    axe(page)
    shoot(page, "gallery")
    labels = dict(shown(page))
    assert [labels[region] for region in regions[:7]] == [*codes[:3], codes[3], codes[3], codes[3], ""]
    assert "6 labelled, not sent" in page.inner_text("#summary")

    # Only cells without a label; all of them at once, after their number was named; one step takes it back.
    press(page, "Shift+U", "Shift+Digit6")
    assert "Label all 18 cells shown" in page.inner_text("dialog h2")
    axe(page)
    press(page, "Enter")
    said(page, "24 labelled, not sent")
    press(page, "Control+z")
    said(page, "6 labelled, not sent")
    assert len(shown(page)) == 18
    press(page, "Shift+Digit6", "Enter")
    said(page, "24 labelled, not sent")
    press(page, "Shift+U")
    expected = dict(zip(regions, [*codes[:3], *[codes[3]] * 3, *[codes[5]] * 18], strict=True))
    assert dict(shown(page)) == expected
    assert standing(member) == {}

    press(page, "Control+Enter")
    said(page, "24 answers sent.")
    page.wait_for_selector(READY)
    assert standing(member) == expected
    rows = Annotation.objects.filter(annotator=member)
    assert len({row.assignment_id for row in rows}) == len({row.idempotency_key for row in rows}) == 24
    assert all(row.seconds > 0 for row in rows)
    assert rows.get(is_flagged=True).region.public_id == regions[3]
    assert not set(dict(shown(page))) & set(regions)

    # After a reload, too.
    page.reload()
    page.wait_for_selector(READY)
    press(page, "Control+z")
    said(page, "24 answers taken back")
    assert standing(member) == {}
    assert {region: label for region, label in shown(page) if label} == expected
    held = Assignment.objects.filter(annotator=member, state=AssignmentState.LEASED)
    assert held.filter(region__public_id__in=regions).count() == 24


def test_orders_sizes_and_surroundings_follow_keys(make_smear, page_for, axe):
    smear = make_smear(gallery_batch=30, queued=40)
    write_features(smear)
    page = page_for(smear.annotator)
    open_gallery(page, smear, cells=30)
    index = dict(Region.objects.filter(study=smear.study).values_list("public_id", "index"))
    place = {row.public_id: (row.slide.public_id, row.index) for row in smear.regions}
    by_slide = [region for region, _ in shown(page)]
    assert by_slide == sorted(by_slide, key=place.__getitem__)
    press(page, "o")
    page.wait_for_function("() => document.querySelector('#sort').value === 'similarity'")
    kinds = [index[region] % 3 for region, _ in shown(page)]
    assert sum(one != other for one, other in zip(kinds, kinds[1:], strict=False)) == 2
    assert page.locator("#sort option").count() == 2

    first = page.evaluate("() => document.activeElement.dataset.region")
    press(page, "c", "ArrowRight", "ArrowDown")
    focused = page.evaluate("() => document.activeElement.dataset.region")
    assert focused != first
    assert f"/regions/{focused}/" in page.get_attribute("#surroundings img", "src")
    assert "context=4" in page.get_attribute("#surroundings img", "src")
    press(page, "t")
    guide = page.get_by_role("complementary", name="Guideline")
    assert guide.get_by_role("heading", level=3).count() == len(page.locator("#classes li").all())
    axe(page)
    press(page, "Escape")
    assert guide.is_hidden()
    assert page.evaluate("() => document.activeElement.dataset.region") == focused
    before = page.locator(CELL).first.bounding_box()["width"]
    press(page, "+", "+")
    assert page.locator(CELL).first.bounding_box()["width"] > before
    widths = page.eval_on_selector_all(f"{CELL} img", "(all) => all.map((one) => parseFloat(one.style.width))")
    sizes = dict(Region.objects.filter(study=smear.study).values_list("public_id", "width"))
    per_pixel = {round(width / sizes[region], 4) for width, (region, _) in zip(widths, shown(page), strict=True)}
    assert len(per_pixel) == 1
    press(page, "End")
    assert page.evaluate("() => document.activeElement.dataset.region") == shown(page)[-1][0]
    axe(page)
    page.reload()
    page.wait_for_selector(READY)
    assert page.input_value("#sort") == "similarity"


def test_refused_cell_keeps_its_label_and_reload_and_lost_session_keep_all(make_smear, page_for, sign_in, guard, axe):
    guard.expect(409, "queue/submit/")
    guard.expect(401, "/api/")
    smear = make_smear(gallery_batch=8, queued=8)
    member, codes = smear.annotator, smear.codes
    LabelClass.objects.filter(protocol=smear.study.protocol, code=codes[1]).update(name=MARKUP, definition=MARKUP)
    page = page_for(member)
    open_gallery(page, smear, cells=8)
    press(page, "Digit1", "Digit2", "Digit3")
    labels = shown(page)

    page.reload()
    page.wait_for_selector(READY)
    assert shown(page) == labels
    said(page, "3 labelled, not sent")

    # Somebody else takes the second region for good: its lease is gone, and so is its slot.
    lost = Assignment.objects.get(region__public_id=labels[1][0], annotator=member)
    queue.release(member=member, token=lost.token)
    Pick.objects.filter(pk=lost.pick_id).update(slots_open=0)
    Session.objects.all().delete()
    press(page, "Control+Enter")
    said(page, "You have been signed out")
    assert standing(member) == {}
    sign_in(page, member)
    page.get_by_role("button", name="I have signed in: go on").click()
    said(page, "2 answers sent. 1 cell was not taken")
    page.wait_for_selector(READY)
    assert standing(member) == {labels[0][0]: codes[0], labels[2][0]: codes[2]}
    assert "What was entered is kept among the drafts" in page.inner_text("#refused")
    assert (labels[1][0], codes[1]) in {tuple(one) for one in shown(page)}
    assert Draft.objects.get().assignment == lost
    axe(page)

    # The region comes back, with what was entered.
    Pick.objects.filter(pk=lost.pick_id).update(slots_open=1)
    page.reload()
    page.wait_for_selector(READY)
    assert dict(shown(page))[labels[1][0]] == codes[1]
    press(page, "Control+Enter")
    said(page, "1 answer sent.")
    assert standing(member)[labels[1][0]] == codes[1]
    assert page.title() != "owned"


def test_note_comment_skip_and_giving_back(make_smear, page_for, axe, shoot):
    smear = make_smear(gallery_batch=5, queued=5, repeat_rate=0.0)
    member = smear.annotator
    smear.answer(member, smear.codes[0])
    seen = Annotation.objects.get(annotator=member).region
    Pick.objects.filter(region=seen).update(state="settled", slots_open=0)
    factories.pick(seen, stratum=Stratum.RECHECK, note=MARKUP)
    page = page_for(member)
    open_gallery(page, smear, cells=5)
    cell = page.locator(f'{CELL}[data-region="{seen.public_id}"]')
    assert "sent back: <img src=x" in cell.inner_text()
    cell.click()
    press(page, "Shift+C")
    page.get_by_role("textbox", name="Comment").fill(MARKUP)
    page.get_by_role("button", name="Keep").click()
    press(page, "Digit2", "Control+Enter")
    said(page, "1 answer sent.")
    page.wait_for_selector(READY)
    assert Annotation.objects.filter(annotator=member).latest("id").personal_text.text == MARKUP
    press(page, "Control+Space")
    press(page, "Digit1")
    page.wait_for_function("() => document.querySelectorAll('#grid [role=option]').length === 3")
    assert Assignment.objects.get(annotator=member, state=AssignmentState.SKIPPED).skip_reason == "Out of focus"
    page.get_by_role("button", name="Give the rest back").click()
    page.get_by_role("button", name="Give 3 cells back").click()
    said(page, "You have given your cells back")
    axe(page)
    shoot(page, "gallery-empty")
    assert not Assignment.objects.filter(annotator=member, state=AssignmentState.LEASED).exists()
    assert page.title() != "owned"


def test_suggestions_are_accepted_one_by_one_and_all_at_once(make_smear, page_for, axe, shoot):
    smear = make_smear(gallery_batch=6, queued=6, show_suggestions=True, suggestion_control_share=0.0)
    for place, pick in enumerate(Pick.objects.order_by("rank")):
        pick.parts = {"predicted": smear.codes[place % 2], "top": 0.5 + place / 20} if place else {}
        pick.save()
    page = page_for(smear.annotator)
    open_gallery(page, smear, cells=6)
    page.select_option("#sort", "uncertainty")
    tops = {row.region.public_id: row.parts.get("top") for row in Pick.objects.select_related("region")}
    order = [tops[region] for region, _ in shown(page)]
    assert order == [*sorted(one for one in order if one), None]
    page.locator(CELL).first.focus()
    press(page, "Enter")
    page.get_by_role("button", name="Accept suggestions").click()
    page.get_by_role("button", name="Accept 4 suggestions").click()
    said(page, "5 labelled, not sent")
    axe(page)
    shoot(page, "gallery-suggestions")
    press(page, "Control+Enter")
    said(page, "5 answers sent.")
    predicted = {
        row.region.public_id: row.parts["predicted"] for row in Pick.objects.select_related("region") if row.parts
    }
    assert standing(smear.annotator) == predicted


def test_two_hundred_cells_stay_smooth(make_smear, page_for, record_property):
    smear = make_smear(gallery_batch=LARGEST, queued=0)
    fill(smear, LARGEST)
    page = page_for(smear.annotator, viewport={"width": 1920, "height": 1080})
    open_gallery(page, smear, cells=LARGEST)
    page.wait_for_load_state("networkidle")
    times = np.array([page.evaluate(_TIMED_KEY, f"Digit{1 + turn % 9}") for turn in range(PRESSES)])
    handled, painted = np.median(times[5:], axis=0)
    record_property("gallery_key_ms", round(float(handled), 1))
    record_property("gallery_key_to_paint_ms", round(float(painted), 1))
    print(f"\nA key at {LARGEST} cells: {handled:.1f} ms to handle, {painted:.1f} ms to the next frame (medians).")
    assert sum(1 for _, label in shown(page) if label) == PRESSES


def fill(smear, count):
    """Picks of `count` regions: those that were drawn, and more on the first slide."""
    on, like = smear.slides[0], smear.regions[0]
    regions = list(smear.regions)
    for turn in range(count - len(regions)):
        x, y = 1 + turn % 16 * 20, 1 + turn // 16 * 20
        regions.append(factories.region(on, index=1000 + turn, x=x, y=y, width=like.width, height=like.height))
    batch = smear.study.batches.get()
    for rank, region in enumerate(regions):
        factories.pick(region, batch=batch, rank=rank)
