from __future__ import annotations

import tarfile

from playwright.sync_api import expect

from annotation.models import Region, Release
from annotation.releasing.verify import verify
from annotation.services import releases, truth
from tests.browser import planted

MARKUP = '<script>window.broken = 1</script><img src=x onerror="window.broken = 1">'


def test_a_release_is_refused_with_a_list_then_cut_checked_and_fetched(
    page_for, smear, guard, axe, shoot, tmp_path
) -> None:
    page = page_for(smear.manager)
    page.goto(smear.url("releases"))
    expect(page.get_by_text("there is none yet")).to_be_visible()
    expect(page.get_by_text("Nothing has been released yet.")).to_be_visible()
    axe(page)
    planted.plant(smear)
    row = planted.run_pass(smear)

    # Refused: the reasons, each with the way to it.
    guard.expect(409, "/releases/")
    page.reload()
    expect(page.locator("[data-check=blockers]")).to_have_count(2)
    axe(page)
    page.keyboard.press("Control+Enter")
    expect(page.locator("dialog")).to_contain_text("16 regions of pass 1 become a release that never changes")
    expect(page.locator("dialog")).to_contain_text("Mia")
    page.get_by_role("button", name="Cut the release", exact=True).press("Enter")
    refusal = page.locator("#refusal")
    expect(refusal).to_be_focused()
    expect(refusal.locator("li")).to_have_count(2)
    refusal.get_by_role("link", name="See these 5").click()
    expect(page.locator(".finding")).to_have_count(5)
    assert not Release.objects.exists()

    # Waived by name and with a reason: it is cut, and says so.
    planted.waive_all(smear, row, reason=MARKUP)
    page.goto(smear.url("releases"))
    expect(page.locator("[data-check=blockers]")).to_contain_text("No blocker is open.")
    shoot(page, "releases", full=True)
    page.locator("#cut").press("Enter")
    page.get_by_role("button", name="Cut the release", exact=True).press("Enter")
    page.wait_for_url("**/releases/1/")
    release = Release.objects.get(consistency_pass=row)
    expect(page.locator("#digest")).to_have_text(release.manifest_digest)
    expect(page.locator("#changes")).to_contain_text("There is no earlier release: all 16 regions are new.")
    expect(page.locator(".datasheet")).to_contain_text("window.broken")
    expect(page.locator("#holds caption").first).to_have_text("Regions by class")
    assert page.evaluate("() => window.broken") is None
    axe(page)
    shoot(page, "release", full=True)
    page.get_by_role("button", name="Verify the files").press("Enter")
    expect(page.locator("#verified")).to_contain_text("Everything fits: 16 regions")

    with page.expect_download() as caught:
        page.get_by_role("link", name="Download all").click()
    assert caught.value.suggested_filename == "smear-release-1.tar"
    with tarfile.open(caught.value.path()) as tar:
        tar.extractall(tmp_path, filter="data")
    assert verify(tmp_path / release.manifest_digest, digest=release.manifest_digest).ok
    with page.expect_download() as caught:
        page.get_by_role("link", name="labels.csv").click()
    assert len(caught.value.path().read_text().splitlines()) == 17

    (releases.place(release) / "labels.csv").write_text("gone\n")
    page.get_by_role("button", name="Verify the files").press("Enter")
    expect(page.locator("#verified")).to_contain_text("labels.csv was altered")


def test_the_second_release_tells_what_it_changed(page_for, smear, axe, shoot) -> None:
    planted.decide(smear, smear.regions[:12])
    before = planted.run_pass(smear)
    planted.waive_all(smear, before)
    releases.freeze(study=smear.study, consistency_pass=before, member=smear.manager)
    manager, (first, second, *_) = smear.manager, smear.regions
    answer = {"kind": "class", "label": "monocyte"}
    truth.decide(region=first, member=manager, answer=answer, reason=MARKUP)
    truth.decide(region=second, member=manager, answer=None, reason="Blurred.", exclude=True)
    planted.decide(smear, smear.regions[12:15])
    row = planted.run_pass(smear)
    page = page_for(manager)
    page.goto(smear.url("releases"))
    expect(page.get_by_role("heading", name="What it would change against release 1")).to_be_visible()
    expect(page.locator("#preview")).to_contain_text("5 regions differ, 10 are as they were.")
    axe(page)
    planted.waive_all(smear, row)
    releases.freeze(study=smear.study, consistency_pass=row, member=manager)

    page.goto(smear.url("releases/2"))
    expect(page.locator("#against")).to_have_value("1")
    expect(page.locator("#changes .flows tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Changed label: 1").press("Enter")
    line = page.locator(".change-list tbody tr")
    expect(line).to_have_count(1)
    expect(line).to_contain_text(first.public_id)
    expect(line).to_contain_text("Monocyte")
    page.get_by_role("button", name="Added: 3").press("Enter")
    expect(line).to_have_count(3)
    axe(page)
    shoot(page, "release-changes")
    with page.expect_download() as caught:
        page.get_by_role("link", name="All changes as CSV").click()
    rows = caught.value.path().read_text().splitlines()
    assert len(rows) == 6 and f"removed,{second.public_id}," in "\n".join(rows)
    page.goto(smear.url("releases/1"))
    page.get_by_label("Compared with").select_option("Release 2")
    expect(page.locator("#changes")).to_contain_text("Against release 2: 5 regions differ")
    assert Region.objects.filter(study=smear.study, state="settled").count() == 14
