"""Slides and the slide overview: picture, table, keys, and what is said where there is nothing."""

from __future__ import annotations

import numpy as np
import pytest
from django.utils import timezone
from playwright.sync_api import expect

from annotation import store
from annotation.models import Job, ModelVersion, ScoreFile, Slide, TrainingSet
from annotation.states import JobKind, JobState, ModelState, SlideState
from learning.query import scores as score_files
from learning.query.scores import Scores


@pytest.fixture
def worked(make_smear):
    """A study in which two people have settled six regions of the first slide, and a third of two more."""
    smear = make_smear(min_overlap=2)
    for member in (smear.annotator, smear.colleague):
        for _ in range(6):
            smear.answer(member)
    return smear


def activate_model(smear):
    now, study = timezone.now(), smear.study
    learned = TrainingSet.objects.create(
        study=study, digest="1" * 64, revision_ids=[], protocol=study.protocol, created_at=now
    )
    model = ModelVersion.objects.create(
        study=study, number=1, digest="2" * 64, state=ModelState.ACTIVE, training_set=learned, encoder="colour-texture",
        configuration_digest="3" * 64, encoder_digest="4" * 64, class_codes=smear.codes, created_at=now,
    )  # fmt: skip
    slide = smear.slides[0]
    columns = Scores.allocate(slide.regions.count())
    columns.entropy[:] = np.linspace(0, np.log(len(smear.codes)), len(columns))
    score_files.save(store.root() / "scores/one.npz", columns)
    ScoreFile.objects.create(model=model, slide=slide, stored_name="scores/one.npz", rows=len(columns))


def open_slide(page, smear, query=""):
    page.goto(f"{smear.url('slides')}{smear.slides[0].public_id}/{query}")
    page.wait_for_selector("#viewer[data-state=ready]")
    return page


def legend(page):
    """{meaning: regions} of the legend, without empty lines."""
    rows = page.locator("#legend tbody tr").all()
    pairs = [(row.locator("th span").last.inner_text(), int(row.locator("td").inner_text())) for row in rows]
    return {name.split(":")[0]: count for name, count in pairs if count}


def test_overview_colours_filters_and_lists_the_same_regions(page_for, worked, axe, shoot):
    activate_model(worked)
    slide = worked.slides[0]
    total, first = slide.regions.count(), slide.regions.order_by("index").first()
    page = open_slide(page_for(worked.manager), worked)
    assert page.evaluate("() => window.concord.slide.columns.count") == total
    page.wait_for_function("() => window.concord.slide.drawn > 0")
    counted = {state: slide.regions.filter(state=state).count() for state in ("queued", "settled")}
    assert {name: legend(page).get(name, 0) for name in counted} == counted
    expect(page.locator("#range")).to_have_text(f"1–{total} of {total}" if total <= 25 else f"1–25 of {total}")
    row = page.locator("#rows tbody tr").first
    expect(row.locator("a")).to_have_attribute("href", f"{worked.url()}regions/{first.public_id}/")
    expect(row).to_contain_text(first.state)
    axe(page)
    shoot(page, "slide-state")

    page.select_option("#colour", "load")
    assert legend(page) == {"2 answers": 6, "no answer": total - 6}
    page.select_option("#by", worked.colleague.pseudonym)
    assert legend(page) == {"2 answers": 6}
    expect(page.locator("#rows tbody tr")).to_have_count(6)
    page.select_option("#colour", "class")
    known = [region.known_truth.label for region in slide.regions.order_by("index")[:6]]
    names = {one.code: one.name for one in worked.study.current_protocol.classes.all()}
    assert legend(page) == {names[code]: known.count(code) for code in known}
    assert "colour=class" in page.url and f"by={worked.colleague.pseudonym}" in page.url

    page.goto(page.url.split("?")[0] + "?colour=uncertainty&order=uncertainty")
    page.wait_for_selector("#viewer[data-state=ready]")
    assert sum(legend(page).values()) == total and len(legend(page)) == 5
    expect(page.locator("#rows tbody tr").first).to_contain_text("100 %")
    expect(page.locator("#rows tbody tr").first.locator("a")).to_have_text(f"Region {total}")
    axe(page)
    shoot(page, "slide-uncertainty")


def test_keys_go_from_region_to_region_and_into_its_history_and_back(page_for, worked):
    page = open_slide(page_for(worked.manager), worked, "?state=settled")
    assert page.locator("#scale .length").inner_text().endswith("µm")
    assert "×" in page.locator("#magnification").inner_text()
    page.focus("#viewer")
    page.keyboard.press("ArrowRight")
    chosen = page.evaluate("() => window.concord.slide.selected")
    shown = page.evaluate("() => [...window.concord.slide.overview.shown]")
    assert shown[chosen] == 1
    expect(page.locator("#said")).to_contain_text(f"Region {chosen + 1}: settled")
    expect(page.locator("#region-card h2")).to_have_text(f"Region {chosen + 1}")
    for _ in range(8):
        page.keyboard.press("ArrowLeft")
    left = page.evaluate("() => window.concord.slide.selected")
    boxes = page.evaluate("() => [...window.concord.slide.columns.boxes.x]")
    assert shown[left] == 1 and boxes[left] <= boxes[chosen]
    before = page.locator("#magnification").inner_text()
    page.keyboard.press("+")
    expect(page.locator("#magnification")).not_to_have_text(before)
    page.keyboard.press("Enter")
    region = worked.slides[0].regions.get(index=left)
    page.wait_for_url(f"**/regions/{region.public_id}/")
    page.go_back()
    page.wait_for_selector("#viewer[data-state=ready]")
    assert page.evaluate("() => window.concord.slide.selected") == left
    expect(page.locator("#state")).to_have_value("settled")


def test_pointing_tells_the_region_and_a_click_opens_its_history(page_for, worked):
    page = open_slide(page_for(worked.manager), worked)
    page.locator("#rows tbody tr button").nth(2).click()
    expect(page.locator("#viewer")).to_be_focused()
    page.wait_for_function("() => window.concord.slide.selected === 2")
    page.evaluate("() => window.concord.slide.overview.viewer.settled()")
    box = page.locator("#viewer").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.keyboard.press("Escape")
    expect(page.locator("#region-card h2")).to_have_count(0)
    page.mouse.move(*middle)
    expect(page.locator("#region-card h2")).to_have_text("Region 3")
    page.mouse.click(*middle)
    region = worked.slides[0].regions.get(index=2)
    page.wait_for_url(f"**/regions/{region.public_id}/")


MANY = """() => {
  const { viewer } = window.concord.slide.overview;
  const side = 250, count = side * side;
  const column = (value) => Int32Array.from({ length: count }, (_, i) => value(i));
  const [width, height] = [column(() => 4), column(() => 4)];
  const boxes = { count, x: column((i) => 4 * (i % side)), y: column((i) => 4 * Math.floor(i / side)), width, height };
  const styles = ['#1f5f99', '#146b37'].map((colour, at) => ({ colour, pattern: at + 1, letter: 'Q' }));
  viewer.paint({ boxes, styles, codes: Uint8Array.from({ length: count }, (_, i) => i % 2) });
  return { drawn: viewer.layer.drawn, count };
}"""


def test_tens_of_thousands_of_boxes_are_drawn_from_a_kept_picture(page_for, smear):
    page = open_slide(page_for(smear.manager), smear)
    drawn = page.evaluate(MANY)
    assert drawn["drawn"] == drawn["count"] == 62_500


def test_what_is_not_there_yet_is_explained(page_for, smear, axe, shoot):
    page = open_slide(page_for(smear.manager), smear, "?colour=uncertainty")
    expect(page.locator("#why")).to_contain_text("No model is active yet")
    waiting, failed = smear.slides[1:3]
    Slide.objects.filter(pk=waiting.pk).update(state=SlideState.REGISTERED)
    Slide.objects.filter(pk=failed.pk).update(state=SlideState.FAILED, failure="The file <b>ends</b> too early.")
    for slide, state in ((waiting, JobState.READY), (failed, JobState.FAILED)):
        Job.objects.update_or_create(
            study=smear.study, kind=JobKind.TILE_SLIDE, key=slide.public_id, defaults={"state": state}
        )
    page.goto(f"{smear.url('slides')}{waiting.public_id}/")
    expect(page.locator(".empty h2")).to_have_text("The slide waits to be cut into regions")
    axe(page)
    page.goto(f"{smear.url('slides')}{failed.public_id}/")
    expect(page.locator(".empty")).to_contain_text("The file <b>ends</b> too early.")
    shoot(page, "slide-failed")
    with page.expect_navigation():
        page.get_by_role("button", name="Try again").click()
    assert Job.objects.get(study=smear.study, key=failed.public_id, kind=JobKind.TILE_SLIDE).state == JobState.READY


def test_list_of_slides_sorts_filters_and_leads_to_a_slide(page_for, worked, axe, shoot):
    Slide.objects.filter(pk=worked.slides[2].pk).update(state=SlideState.FAILED, failure="It can't be read.")
    page = page_for(worked.manager)
    page.goto(worked.url("slides"))
    expect(page.locator("tbody tr")).to_have_count(len(worked.slides))
    axe(page)
    shoot(page, "slides")
    page.get_by_role("link", name="Settled").click()
    page.get_by_role("link", name="Settled").click()
    page.wait_for_url("**?sort=-settled")
    expect(page.get_by_role("columnheader", name="Settled")).to_have_attribute("aria-sort", "descending")
    expect(page.locator("tbody tr").first).to_contain_text(worked.slides[0].public_id)
    page.select_option("#state", "failed")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("It can't be read.")
    page.get_by_role("link", name="Show all").click()
    page.get_by_role("link", name=worked.slides[0].public_id).click()
    page.wait_for_selector("#viewer[data-state=ready]")


def test_pages_cost_a_fixed_number_of_queries(worked, client, django_assert_num_queries):
    client.force_login(worked.manager.user)
    slide = f"{worked.url('slides')}{worked.slides[0].public_id}/"
    for url, queries in ((worked.url("slides"), 10), (slide, 10)):
        with django_assert_num_queries(queries):
            assert client.get(url).status_code == 200
    client.force_login(worked.annotator.user)
    assert [client.get(url).status_code for url in (worked.url("slides"), slide)] == [404, 404]
