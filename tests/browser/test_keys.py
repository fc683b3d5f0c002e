"""The key sheet of every screen: shown, rebound, refused, switched off, kept with the account."""

from playwright.sync_api import expect

from annotation.models import Preference


def open_sheet(page):
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys on this screen")).to_be_visible()


def row(page, label):
    return page.get_by_role("row").filter(has_text=label)


def rebind(page, label, key):
    row(page, label).get_by_role("button").press("Enter")
    page.keyboard.press(key)


def test_keys_are_shown_rebound_refused_and_kept_with_the_account(smear, page_for, axe):
    page = page_for(smear.annotator)
    page.goto(smear.url("annotate"))
    open_sheet(page)
    axe(page)
    darker = "Darker"
    rebind(page, darker, "F5")
    expect(page.get_by_text("belongs to the browser")).to_be_visible()
    rebind(page, darker, "?")
    expect(page.get_by_text('is the key for "Show and change the keys"')).to_be_visible()
    rebind(page, darker, "Control+Shift+Y")
    expect(row(page, darker).locator("kbd")).to_have_text("Ctrl + Shift + Y")
    page.reload()
    open_sheet(page)
    expect(row(page, darker).locator("kbd")).to_have_text("Ctrl + Shift + Y")
    page.get_by_role("button", name="Set all back").press("Enter")
    expect(row(page, darker).locator("kbd").first).not_to_have_text("Ctrl + Shift + Y")
    assert Preference.objects.get(user=smear.annotator.user).keys["own"] == {}


def test_single_keys_are_switched_off_and_work_with_alt(smear, page_for):
    page = page_for(smear.annotator)
    page.goto(smear.url("annotate"))
    open_sheet(page)
    with page.expect_response(lambda answer: "preferences" in answer.url and answer.ok):
        page.get_by_label("Single keys act at once").press("Space")
    page.keyboard.press("Escape")
    sheet = page.get_by_role("dialog", name="Keys on this screen")
    expect(sheet).to_have_count(0)
    page.keyboard.press("?")
    expect(sheet).to_have_count(0)
    page.keyboard.press("Alt+?")
    expect(sheet).to_be_visible()
    expect(row(page, "Show and change the keys").locator("kbd")).to_have_text("Alt + ?")
