from __future__ import annotations

from playwright.sync_api import expect

from annotation.models import Finding, LabelClass, Region
from annotation.services import ledger
from annotation.states import RegionState
from tests import factories
from tests.browser import planted
from tests.browser.test_passes import answer


def test_rules_are_set_by_keyboard_with_their_limits_said(page_for, smear, axe, shoot, guard) -> None:
    guard.expect(400, "rules/")
    planted.plant(smear)
    planted.run_pass(smear)
    page = page_for(smear.manager)
    page.goto(smear.url("passes"))
    page.get_by_role("link", name="Rules", exact=True).press("Enter")
    quota = page.locator("[data-rule='class-quota']")
    expect(quota).to_contain_text("6 findings last time, 6 open")
    expect(page.locator("#ledger-broken-severity")).to_be_disabled()
    axe(page)
    shoot(page, "rules", full=True)
    quota.get_by_label("Severity").select_option("warning")
    expect(page.locator("#said")).to_have_text("Saved: Class under quota.")
    sizes = page.locator("[data-rule='size-limits']")
    sizes.locator("summary").first.press("Enter")
    least = sizes.locator("input").nth(1)
    least.fill("-3")
    least.press("Tab")
    expect(sizes.locator(".problem")).to_contain_text("must be a number from 0")
    least.fill("7")
    least.press("Tab")
    expect(sizes.locator("summary").first).to_contain_text("Set for 1 class.")
    axe(page)
    smear.study.refresh_from_db()
    assert smear.study.rule_values == {
        "class-quota": {"severity": "warning"}, "size-limits": {"least": {smear.codes[0]: 7}},
    }  # fmt: skip
    quota.get_by_label("Severity").select_option("blocker")
    expect(page.locator("#said")).to_have_text("Saved: Class under quota.")
    page.reload()
    expect(quota.get_by_label("Severity")).to_have_value("blocker")


def test_duplicates_are_merged_and_only_what_is_new_is_shown_at_first(page_for, smear, axe, shoot) -> None:
    first = smear.regions[:12]
    planted.decide(smear, first)
    twins = [one.pk for one in first[:2]]
    Region.objects.filter(pk__in=twins).update(pixel_digest="ab" * 32)
    LabelClass.objects.filter(protocol=smear.study.protocol, code=smear.codes[-1]).update(quota=3)
    planted.run_pass(smear)
    Region.objects.filter(pk__in=[one.pk for one in first[2:4]]).update(pixel_digest="cd" * 32)
    newest = planted.run_pass(smear)
    page = page_for(smear.manager)
    page.goto(smear.url(f"passes/{newest.number}"))
    rows = page.locator(".rule-group[data-rule='identical-regions'] .finding")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("new")
    expect(page.get_by_label("Compared with")).to_have_value("fresh")
    axe(page)
    page.get_by_role("link", name="Show all findings.").click()
    expect(rows).to_have_count(2)
    expect(page.locator(".finding", has_text="seen before").first).to_be_visible()
    shoot(page, "pass-again")
    rows.first.focus()
    page.keyboard.press("m")
    answer(page, "The same cell.")
    expect(rows.first).to_contain_text("left out since")
    assert Region.objects.filter(study=smear.study, state=RegionState.EXCLUDED).count() == 1
    assert ledger.verify(smear.study).ok


def test_stale_answers_are_carried_over_in_bulk(page_for, smear, axe) -> None:
    planted.decide(smear, smear.regions[:4])
    kept = [code for code in smear.codes if code != planted.LABELS[0]]
    new = factories.protocol(smear.study, codes=(*kept, "granulocyte"))
    for code in (one.code for one in new.classes.all() if one.code in kept):
        new.mappings.create(source_code=code, target_code=code, kind="same")
    row = planted.run_pass(smear)
    stale = Finding.objects.filter(consistency_pass=row, rule="stale-protocol")
    assert stale.count() == 2
    page = page_for(smear.manager)
    page.goto(smear.url(f"passes/{row.number}") + "?rule=stale-protocol")
    page.get_by_role("button", name="Select all 2 open of this rule").click()
    page.locator("#bulk").get_by_role("button", name="Carry over").click()
    page.locator("#ask-label").select_option("granulocyte")
    axe(page)
    page.locator("#ask-reason").fill("All of them are.")
    page.get_by_role("button", name="Carry over (2 findings)").click()
    expect(page.locator(".finding .badge", has_text="now Granulocyte")).to_have_count(2)
    assert Region.objects.filter(study=smear.study, current_revision__label="granulocyte").count() == 2
