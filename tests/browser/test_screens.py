"""Not a test but a camera: `make screens` writes a picture of every screen, and a choice of them into docs/screens.

The pictures are for people to look at. What must hold is tested elsewhere.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.db.models import Count
from PIL import Image
from playwright.sync_api import Page

from annotation.models import Finding, GroundTruthRevision, Pick
from annotation.states import PickState, Role
from project.places import REPOSITORY, var_folder
from tests.browser import shots, weeks

LARGEST = 260_000
# The pages longer than a window whose lower parts are looked at too.
FULL = {"dashboard", "setup", "history", "protocol", "pass", "rules", "timeline", "release"}
# The picture for the README, and which of its four views.
CHOSEN = {
    "annotate": "light-1280", "gallery": "dark-1280", "adjudicate": "light-1280", "history": "light-1280",
    "dashboard": "light-1280", "slide": "dark-1280", "pass": "light-1280", "release": "light-1280",
}  # fmt: skip


@pytest.fixture
def folder() -> Path:
    return Path(os.environ.get("CONCORD_SCREENS") or var_folder().parent / "screens")


@pytest.mark.screens
@pytest.mark.timeout(1800)
def test_every_screen_is_shown_with_a_week_of_work(page_for, site, folder) -> None:
    study = weeks.live(var_folder() / "samples")
    for member, role in ((study.manager, Role.MANAGER), (study.annotator, Role.ANNOTATOR), (study.adjudicator, None)):
        page = page_for(member)
        for name, address, ready in views(study, role):
            page.goto(address)
            if ready:
                page.locator(ready).first.wait_for()
            close_notes(page)
            shots.shoot(page, name, folder=folder, full=name in FULL)
    choose(folder)


def views(study: weeks.Weeks, role: str | None) -> list[tuple[str, str, str]]:
    """Name, address, and what must be there before the picture is taken."""
    if role == Role.ANNOTATOR:
        return [
            ("home", "/admin/", ""),
            ("queue", study.url("queue"), "#start"),
            ("annotate", study.url("annotate"), "#viewer[data-state=sharp]"),
            ("gallery", study.url("gallery"), "[role=gridcell] img, .cell img"),
            ("answers", study.url("answers"), "table"),
        ]
    if role is None:
        return [("adjudicate", study.url("adjudicate"), "[data-state=sharp]")]
    assert Pick.objects.filter(study=study.study, state=PickState.ADJUDICATION).exists(), "Nothing to adjudicate."
    slide = study.study.slides.order_by("public_id").first()
    assert slide is not None
    numbers = Finding.objects.filter(consistency_pass__study=study.study).values_list(
        "consistency_pass__number", flat=True
    )
    return [
        ("dashboard", study.url(), ""),
        ("slides", study.url("slides"), ""),
        ("slide", study.url(f"slides/{slide.public_id}"), ""),
        ("history", study.url(f"regions/{most_revised(study)}"), ""),
        ("setup", study.url("setup"), "#step[data-ready]"),
        ("protocol", study.url("protocol"), ""),
        ("passes", study.url("passes"), ""),
        ("pass", study.url(f"passes/{max(numbers, default=1)}"), ".finding"),
        ("rules", study.url("passes/rules"), ""),
        ("timeline", study.url("timeline"), "#entries"),
        ("releases", study.url("releases"), ""),
        ("release", study.url("releases/1"), ""),
    ]


def most_revised(study: weeks.Weeks) -> str:
    """The region with the longest history: there is most to see."""
    rows = GroundTruthRevision.objects.filter(study=study.study).values("region__public_id")
    found = rows.annotate(many=Count("id")).order_by("-many", "region__public_id").first()
    assert found is not None
    return str(found["region__public_id"])


def close_notes(page: Page) -> None:
    """The notes of a first visit, which hide what the page is like on every other day."""
    for button in page.locator(".first-visit:visible button").all():
        button.click()


def choose(folder: Path) -> None:
    """Copy the chosen ones, with few enough colours to be small."""
    target = REPOSITORY / "docs/screens"
    target.mkdir(exist_ok=True)
    for name, view in CHOSEN.items():
        with Image.open(folder / f"{name}-{view}.png") as image:
            width, height = image.size
            picture = image.convert("RGB").crop((0, 0, width, min(height, round(width * 0.75))))
        for colours in (256, 128, 64):
            picture.quantize(colours, dither=Image.Dither.NONE).save(target / f"{name}.png", optimize=True)
            if (target / f"{name}.png").stat().st_size < LARGEST:
                break
