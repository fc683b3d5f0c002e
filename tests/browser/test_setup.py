"""A study is set up in the browser: from nothing to launch, from a study.toml, from a folder, with what goes wrong."""

import re

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import Permission
from playwright.sync_api import expect

from annotation import checklist
from annotation.models import Membership, Slide, StagedSlide, Study
from annotation.selectors import setup as reads
from annotation.services import setup, staging
from annotation.states import Role, StudyState
from annotation.studyfolder import read_text
from project.places import var_folder
from tests import factories
from tests.annotation import folders, planned
from tests.browser.smear import find_or_draw
from workers import base

TYPED = """(selector) => { document.querySelector(selector).dispatchEvent(new Event('input'));
  return document.querySelector('#saved').textContent; }"""
MARKUP = '<img src=x onerror="document.title=1">'


@pytest.fixture
def founder(site):
    """A person who may begin studies and has no other right."""
    user = factories.UserFactory(username="fay")
    user.user_permissions.add(Permission.objects.get(codename="add_study"))
    return Membership(user=user)


@pytest.fixture
def draft(site, founder):
    """A draft of the founder's, with nothing in it."""
    return setup.begin(user=founder.user, slug="cells", name="Cells").study


def files(*seeds: int) -> list[dict]:
    return [{"name": f"slide-{seed}.png", "mimeType": "image/png", "buffer": planned.picture(seed)} for seed in seeds]


def reach(page, selector: str, *, most: int = 80) -> None:
    """Tab on until the control has the focus, as somebody without a mouse does."""
    for _ in range(most):
        if page.evaluate("(wanted) => document.activeElement?.matches(wanted) ?? false", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(
        f"{selector} can't be reached by Tab; the focus is on {page.evaluate('document.activeElement.outerHTML')[:200]}"
    )


def fill(page, selector: str, text: str) -> None:
    reach(page, selector)
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


def press(page, selector: str, key: str = "Enter") -> None:
    reach(page, selector)
    page.keyboard.press(key)


def open_step(page, step: str) -> None:
    """Go to a step by its link in the list, and wait until it is drawn."""
    page.evaluate("document.querySelector('#steps a').focus()")
    press(page, f"#steps [data-step={step}] a")
    page.wait_for_selector(f"#step[data-ready={step}]")


def saved(page) -> None:
    expect(page.locator("#saved")).to_have_text("All saved")


def missing(page, step: str) -> int:
    return int(page.get_attribute(f"#steps [data-step={step}]", "data-lacking"))


def add_class(page, name: str, definition: str) -> None:
    press(page, "#add-class")
    page.keyboard.type(name)
    reach(page, "[id^=class-definition-]:last-of-type, .class-card:last-child textarea")
    page.keyboard.type(definition)


def test_study_is_set_up_by_keyboard_from_uploads_to_launch(page_for, founder):
    page = page_for(founder)
    page.goto("/admin/studies/new/")
    fill(page, "#name", "Blood smears 2026")
    press(page, "#begin button")
    page.wait_for_url("**/studies/blood-smears-2026/setup/")
    page.wait_for_selector("#step[data-ready=slides]")
    page.set_input_files("#files", files(1, 2))
    page.wait_for_selector("table.staged tbody tr:nth-child(2)")
    for number, row in enumerate(page.locator("table.staged tbody tr").all()):
        fill(page, f"#{row.locator('input').get_attribute('id')}", f"case-{number}")
    page.keyboard.press("Tab")
    expect(page.locator("table.staged .lacking")).to_have_count(0)
    page.wait_for_selector("#steps [data-step=slides][data-lacking='0']")

    open_step(page, "domains")
    fill(page, "#column-name", "lab")
    page.keyboard.press("Enter")
    page.wait_for_selector("table.staged input.lacking")
    assert missing(page, "domains") == 1
    fill(page, "#fill-value", "north")
    page.keyboard.press("Enter")
    expect(page.locator("table.staged .lacking")).to_have_count(0)

    open_step(page, "classes")
    add_class(page, "Round cell", "A round cell.")
    add_class(page, "Long cell", "A long cell.")
    press(page, "#add-special")
    page.wait_for_selector("#steps [data-step=classes][data-lacking='0']")
    saved(page)

    open_step(page, "region")
    page.wait_for_selector("#tiling-stage[data-regions]")
    fill(page, "#region-edge", "32")
    page.wait_for_selector("#tiling-stage[data-regions='40']")
    assert "40 regions of 32 × 32" in page.inner_text("#region-words")
    assert "does not say how large its pixels are" in page.inner_text("#region-words")
    press(page, "#close-up")

    open_step(page, "policy")
    fill(page, "#policy-seconds", "6")
    expect(page.locator(".sums")).to_contain_text("hours")
    assert "80 regions" in page.inner_text(".sums")

    open_step(page, "members")
    passwords = {}
    for name in ("ada", "bob"):
        fill(page, "#member-name", name)
        page.keyboard.press("Enter")
        page.wait_for_selector("dialog[open]")
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#first-password strong:text-is('{name}')")
        passwords[name] = page.inner_text("code.password")
    press(page, "[aria-label='ada has finished the training']", "Space")
    page.wait_for_selector("#steps [data-step=members][data-lacking='0']")

    open_step(page, "checklist")
    for question in checklist.missing({}):
        fill(page, f"#check-{question.key}", f"We thought about it: {question.key}.")
    page.wait_for_selector("#steps [data-step=checklist][data-lacking='0']")

    open_step(page, "launch")
    assert page.locator("#missing").count() == 0
    assert re.search(r"Regions\s*80", page.inner_text("#plan"))
    press(page, "#launch")
    page.wait_for_selector("dialog[open]")
    reach(page, "dialog[open] .primary")
    page.keyboard.press("Enter")
    page.wait_for_url("**/studies/blood-smears-2026/")

    study = Study.objects.get(slug="blood-smears-2026")
    assert study.state == StudyState.RUNNING
    assert [row.key for row in reads.class_rows(study)] == ["1", "2", "9"]
    base.run_ready(study)
    assert sum(Slide.objects.filter(study=study).values_list("region_count", flat=True)) == 80
    assert not StagedSlide.objects.exists()
    assert authenticate(username="ada", password=passwords["ada"]) is not None
    assert Membership.objects.get(study=study, user__username="ada").is_trained


def test_every_step_is_for_everybody_in_light_and_dark(page_for, founder, draft, axe, shoot):
    planned.fill(draft, slides=0)
    setup.save_region(study=draft, edge=96, um_per_px=0.2)
    folder = find_or_draw(var_folder() / "samples")
    for path in sorted((folder / "slides").iterdir()):
        staging.stage_file(study=draft, folder=folder, name=f"slides/{path.name}", case=path.stem, domain={})
    lacking = StagedSlide.objects.filter(study=draft).select_related("study").order_by("name").first()
    staging.describe(slide=lacking, case="", domain={"lab": "north"})
    setup.save_checklist(study=draft, answers={"purpose": "", "inclusion": ""})
    page = page_for(founder)
    page.goto("/admin/studies/new/")
    axe(page)
    shoot(page, "setup-new")
    page.goto("/admin/studies/cells/setup/?step=basics")
    for step in reads.STEPS:
        open_step(page, step)
        if step == "region":
            page.wait_for_selector("#region-total")
        axe(page)
        shoot(page, f"setup-{step}")


def test_draft_stays_over_a_reload_and_a_clashing_or_tools_key_is_refused_with_a_sentence(
    page_for, founder, draft, guard
):
    setup.save_classes(study=draft, classes=planned.CLASSES, guideline="")
    guard.expect(400, "setup/classes/")
    page = page_for(founder)
    page.goto("/admin/studies/cells/setup/?step=classes")
    page.wait_for_selector("#step[data-ready=classes]")
    key = "[id^=class-key-]"
    second = "#" + page.locator(key).nth(1).get_attribute("id")
    for pressed, said in (("1", "have the same key '1'"), ("t", "belongs to definitions and examples")):
        fill(page, second, pressed)
        expect(page.locator(".class-card .problem:visible").first).to_contain_text(said)
        assert page.get_attribute(second, "aria-invalid") == "true"
        assert page.inner_text("#saved") == "Not saved"
    fill(page, second, "5")
    fill(page, "#guideline", "Look at the middle.")
    saved(page)
    assert page.evaluate(TYPED, "#guideline") == "Not saved yet"
    saved(page)
    page.goto("/admin/")
    page.goto("/admin/studies/cells/setup/")
    page.wait_for_selector("#step[data-ready=classes]")
    assert page.locator(key).nth(1).input_value() == "5"
    assert page.input_value("#guideline") == "Look at the middle."


def test_definition_is_downloaded_and_begins_an_equal_study(page_for, founder, draft, guard):
    planned.fill(draft)
    page = page_for(founder)
    page.goto("/admin/studies/cells/setup/")
    with page.expect_download() as download:
        page.click("#export")
    text = download.value.path().read_text("utf-8")
    assert read_text(text) == reads.definition(Study.objects.get(slug="cells"))
    page.goto("/admin/studies/new/")
    page.set_input_files(
        "#definition", [{"name": "study.toml", "mimeType": "application/toml", "buffer": text.encode()}]
    )
    expect(page.locator("#slug")).to_have_value("cells")
    page.fill("#slug", "cells")
    guard.expect(409, "/api/studies/")
    page.click("#begin button")
    page.wait_for_selector("#problem:not([hidden])")
    assert "already" in page.inner_text("#problem")
    page.fill("#slug", "twin")
    page.click("#begin button")
    page.wait_for_url("**/studies/twin/setup/")
    twin = Study.objects.get(slug="twin")
    assert reads.definition(twin) == read_text(text)
    assert list(twin.memberships.values_list("user__username", "role")) == [("fay", Role.MANAGER)]


def test_folder_on_the_server_is_taken_and_its_problems_are_named_by_line(
    page_for, founder, draft, tmp_path, monkeypatch
):
    monkeypatch.setenv("CONCORD_IMPORT_ROOT", str(tmp_path / "open"))
    folders.write_folder(
        tmp_path / "open" / "smears", study=None, slides=folders.SLIDES + "slides/gone.png,case-3,east\n"
    )
    folders.write_folder(tmp_path / "open" / "whole")
    page = page_for(founder)
    page.goto("/admin/studies/new/")
    assert page.locator("#folder option").all_inner_texts() == ["whole"]
    page.fill("#import-slug", "whole")
    page.click("#import button[value=check]")
    expect(page.locator("#imported")).to_contain_text("The folder holds; nothing was imported.")
    page.click("#import button[value=import]")
    page.wait_for_url("**/studies/whole/setup/")
    assert Slide.objects.filter(study__slug="whole").count() == 2
    page.goto("/admin/studies/cells/setup/?step=slides")
    page.select_option("#folder", "smears")
    page.click("#look")
    page.wait_for_selector("#folder-found .problem-list")
    assert "slides.csv, line 4: There is no file 'slides/gone.png'." in page.inner_text("#folder-found")
    page.click("#take")
    page.wait_for_selector("table.staged tbody tr:nth-child(2)")
    page.wait_for_selector("#steps [data-step=domains][data-lacking='0']")
    assert list(reads.staged(draft).values_list("case", "domain")) == [
        ("case-1", {"lab": "north"}),
        ("case-2", {"lab": "south"}),
    ]


def test_what_is_no_slide_is_refused_by_name_and_markup_in_names_does_nothing(page_for, founder, draft, guard, axe):
    guard.expect(400, "setup/slides/")
    page = page_for(founder)
    page.goto("/admin/studies/cells/setup/?step=slides")
    page.wait_for_selector("#step[data-ready=slides]")
    broken = {"name": "notes.png", "mimeType": "image/png", "buffer": b"no picture at all"}
    hostile = {"name": f"{MARKUP}.png", "mimeType": "image/png", "buffer": planned.picture(4)}
    page.set_input_files("#files", [broken, hostile])
    page.wait_for_selector("#uploads li.refused")
    assert "'notes.png' can't be used" in page.inner_text("#uploads")
    page.wait_for_selector("table.staged tbody tr")
    page.fill("table.staged input", MARKUP)
    page.keyboard.press("Tab")
    page.wait_for_selector("#steps [data-step=slides][data-lacking='0']")
    assert MARKUP in page.inner_text("table.staged th[scope=row]")
    open_step(page, "launch")
    axe(page)
    assert page.locator("#step img[src=x], main img[src=x]").count() == 0
    assert "Concord" in page.title()


def test_running_study_says_what_is_fixed_and_keeps_policy_and_members_open(page_for, smear, axe):
    page = page_for(smear.manager)
    page.goto(smear.url("setup") + "?step=classes")
    page.wait_for_selector("#step[data-ready=classes]")
    assert "never changes" in page.inner_text("#fixed")
    assert page.locator(".class-card input:enabled").count() == 0
    open_step(page, "region")
    assert page.is_disabled("#region-edge")
    axe(page)
    open_step(page, "policy")
    fill(page, "#policy-max_overlap", "7")
    saved(page)
    assert Study.objects.get(pk=smear.study.pk).policy.max_overlap == 7
    open_step(page, "launch")
    assert "The study is open" in page.inner_text("#step")


def test_only_managers_reach_a_set_up_and_only_founders_a_new_study(page_for, smear, guard):
    paths = (smear.url("setup"), "/admin/studies/new/")
    for path in paths:
        guard.expect(404, path)
    for member in (smear.annotator, smear.adjudicator):
        page = page_for(member)
        assert [page.goto(path).status for path in paths] == [404, 404]
