"""A whole study by clicks and keys, on the real thing: web server, workers, engines, each in a process of its own.

A manager sets it up from uploaded slides, two people label, a third settles what they differ on, a pass finds what
is missing, a release is cut, and the downloaded folder verifies on its own.
"""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from annotation.releasing.verify import verify
from project.places import var_folder
from tests.browser import smear as smears
from tests.browser.served import Served

PASSWORD = "a horse of another colour"
STUDY = "/admin/studies/smears-of-may/"
REGIONS = 12
WORKER_MS = 90_000
DRAWN = """(after) => { const seen = document.querySelector('#viewer').dataset;
  return seen.state === 'sharp' && seen.region && seen.region !== after; }"""


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    folder = Path(tempfile.mkdtemp(prefix="concord study ", dir="/tmp"))
    folder.chmod(0o755)
    made = Served(folder)
    try:
        yield made
    finally:
        made.stop()
        assert made.is_clean
        shutil.rmtree(folder)


@pytest.fixture
def site(served: Served) -> str:
    """The address of the real site, in place of the one on the test database."""
    url = served.start()
    served.manage(
        "createsuperuser", "--noinput", "--username", "mia", "--email", "mia@example.org",
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
    )  # fmt: skip
    return url


@pytest.mark.timeout(600)
def test_a_study_goes_from_uploaded_slides_to_a_release_that_verifies(new_page, guard, tmp_path) -> None:
    manager = new_page()
    sign_in(manager, "mia", PASSWORD)
    passwords = set_up(manager)
    wait_for_queue(manager)

    pages = {}
    for name, password in passwords.items():
        pages[name] = new_page()
        sign_in(pages[name], name, password)
    first = label(pages["ana"], {}, wanted=REGIONS)
    # The second person is asked about what the first one began, and agrees on all but one.
    disputed = next(iter(first))
    label(pages["ben"], {**first, disputed: 3 - first[disputed]}, wanted=REGIONS)
    adjudicate(pages["ada"])

    resolve(manager)
    folder, digest = release(manager, tmp_path)
    checked = verify(folder, digest=digest)
    assert checked.ok, checked
    assert len((folder / "labels.csv").read_text().splitlines()) == REGIONS + 1


def sign_in(page: Page, name: str, password: str) -> None:
    page.goto("/admin/login/?next=/admin/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Log out").wait_for()


def set_up(page: Page) -> dict[str, str]:
    """From the first page to the launch; the people's first passwords."""
    page.goto("/admin/studies/new/")
    page.fill("#name", "Smears of May")
    page.click("#begin button")
    page.wait_for_url(f"**{STUDY}setup/")
    page.wait_for_selector("#step[data-ready=slides]")
    slides = sorted((smears.find_or_draw(var_folder() / "samples") / "slides").iterdir())
    page.set_input_files("#files", slides)
    rows = page.locator("table.staged tbody tr")
    expect(rows).to_have_count(len(slides), timeout=WORKER_MS)
    for number in range(len(slides)):
        rows.nth(number).locator("input").first.fill(f"patient-{number}")
    page.keyboard.press("Tab")
    complete(page, "slides")
    open_step(page, "domains")
    page.fill("#column-name", "lab")
    page.keyboard.press("Enter")
    page.wait_for_selector("table.staged input.lacking")
    page.fill("#fill-value", "north")
    page.keyboard.press("Enter")
    complete(page, "domains")
    open_step(page, "classes")
    for name, definition in (("White cell", "Has a nucleus."), ("Other", "Has none.")):
        page.click("#add-class")
        page.keyboard.type(name)
        page.fill(".class-card:last-child textarea", definition)
    # More than anybody will find: a pass has to say so.
    page.fill(".class-card:last-child [id^=class-quota-]", "50")
    complete(page, "classes")
    open_step(page, "region")
    page.wait_for_selector("#tiling-stage[data-regions]")
    page.fill("#region-edge", "200")
    complete(page, "region")
    open_step(page, "policy")
    page.click("#advanced summary")
    page.fill("#policy-fixed_overlap", "2")
    page.fill("#policy-batch_size", str(REGIONS))
    page.fill("#policy-seconds", "4")
    complete(page, "policy")
    open_step(page, "members")
    passwords = {}
    for name, role in (("ana", "annotator"), ("ben", "annotator"), ("ada", "adjudicator")):
        page.fill("#member-name", name)
        page.select_option("#member-role", role)
        page.get_by_role("button", name="Add", exact=True).click()
        page.locator("dialog[open] .primary").click()
        passwords[name] = page.locator(f"#first-password .note:has(strong:text-is('{name}')) code").inner_text()
    complete(page, "members")
    open_step(page, "checklist")
    for field in page.locator("#step textarea").all():
        field.fill("We thought about it.")
    complete(page, "checklist")
    open_step(page, "launch")
    page.click("#launch")
    page.locator("dialog[open] .primary").click()
    page.wait_for_url(f"**{STUDY}")
    return passwords


def open_step(page: Page, step: str) -> None:
    page.click(f"#steps [data-step={step}] a")
    page.wait_for_selector(f"#step[data-ready={step}]")


def complete(page: Page, step: str) -> None:
    """Nothing is missing in the step any more. What is still on its way is sent before another step opens."""
    page.wait_for_selector(f"#steps [data-step={step}][data-lacking='0']")
    expect(page.locator("#saved")).not_to_have_text("Not saved")


def wait_for_queue(page: Page) -> None:
    """The workers cut the slides, look at the regions and draw the first batch; the manager watches it arrive."""
    page.goto(f"{STUDY}slides/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.goto(STUDY)
    row = page.get_by_role("row", name=f"Regions nobody has begun {REGIONS}")
    expect(row).to_be_visible(timeout=WORKER_MS)


def label(page: Page, keys: dict[str, int], *, wanted: int) -> dict[str, int]:
    """Answer by digits alone, from My queue on, until `wanted` regions of `keys` are done; the digit for each region.

    Without keys any region will do. A region that somebody locks for a moment is passed over, so that another one may
    come between.
    """
    page.goto(f"{STUDY}queue/")
    page.locator("#start").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url("**/annotate/")
    given: dict[str, int] = {}
    region = ""
    while len(given.keys() & keys.keys() if keys else given) < wanted:
        page.wait_for_function(DRAWN, arg=region)
        region = page.locator("#viewer").get_attribute("data-region") or ""
        given[region] = keys.get(region, 1 + len(given) % 2)
        page.keyboard.press(f"Digit{given[region]}")
    expect(page.locator("#today")).to_contain_text(f"Today: {len(given)}")
    page.wait_for_function("() => !Object.keys(localStorage).some((key) => key.startsWith('concord.outbox.'))")
    return given


def adjudicate(page: Page) -> None:
    page.goto(f"{STUDY}adjudicate/")
    expect(page.locator(".answer")).to_have_count(2)
    page.keyboard.press("a")
    expect(page.get_by_role("textbox", name="Reason")).to_be_focused()
    page.keyboard.type("The nucleus is plain to see.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nothing to decide")).to_be_visible()


def resolve(page: Page) -> None:
    """A pass by a worker; what it finds is waived by name and with a reason."""
    page.goto(f"{STUDY}passes/")
    page.keyboard.press("r")
    expect(page.locator("tr[data-pass='1'] .badge").first).to_have_text("done", timeout=WORKER_MS)
    page.get_by_role("link", name="Pass 1", exact=True).click()
    expect(page.locator("#blocks")).to_contain_text("Class under quota: 1 open.")
    left = page.locator(".finding.open")
    expect(left.first).to_be_visible()
    # Findings are drawn rule by rule, as they come.
    page.wait_for_load_state("networkidle")
    for remaining in reversed(range(left.count())):
        left.first.focus()
        page.keyboard.press("w")
        expect(page.locator("dialog textarea")).to_be_focused()
        page.keyboard.insert_text("Rare in these cases.")
        page.keyboard.press("Control+Enter")
        expect(left).to_have_count(remaining)
    expect(page.locator("#blocks")).to_contain_text("No blocker is open.")


def release(page: Page, tmp_path: Path) -> tuple[Path, str]:
    """Cut and download it; the unpacked folder and the digest that the page names."""
    page.goto(f"{STUDY}releases/")
    expect(page.locator("[data-check=blockers]")).to_contain_text("No blocker is open.")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Cut the release", exact=True).press("Enter")
    page.wait_for_url("**/releases/1/")
    digest = page.inner_text("#digest")
    with page.expect_download() as caught:
        page.click("#archive")
    with tarfile.open(caught.value.path()) as tar:
        tar.extractall(tmp_path, filter="data")
    return tmp_path / digest, digest
