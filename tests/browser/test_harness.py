"""The harness itself: a guard that sees nothing would make every browser test worthless."""

from __future__ import annotations

import pytest

from tests.browser import axe as axe_core


def test_guard_sees_console_policy_hosts_and_failed_answers(page_for, guard, smear) -> None:
    page = page_for(smear.annotator)
    page.goto("/admin/")
    assert guard.problems == []
    page.evaluate(
        """() => {
          console.warn('a word');
          document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}));
          document.body.append(Object.assign(document.createElement('img'), {src: 'http://elsewhere.invalid/x.png'}));
        }"""
    )
    with page.expect_response("**/admin/nowhere/"):
        page.evaluate("() => { fetch('/admin/nowhere/'); }")
    page.wait_for_function("() => !window.ran")
    problems = "\n".join(guard.problems)
    with pytest.raises(AssertionError, match="must not"):
        guard.check()
    for part in ("a word", "CSP: script-src", "CSP: img-src", "Answer 404: GET"):
        assert part in problems, problems


def test_axe_finds_what_is_wrong_in_either_scheme(page_for, smear) -> None:
    page = page_for(smear.annotator)
    page.goto("/admin/")
    page.evaluate(
        """() => {
          document.body.append(Object.assign(document.createElement('img'), {src: 'data:,'}));
          const text = Object.assign(document.createElement('p'), {textContent: 'Can it be read?'});
          text.setAttribute('style', 'color: #808080; background: light-dark(#fff, #707070); color-scheme: light dark');
          document.body.append(text);
        }"""
    )
    found = axe_core.violations(page)
    rules = sorted(text.split(": ")[:2] for text in found)
    assert rules == [["dark", "color-contrast"], ["light", "color-contrast"], ["light", "image-alt"]]


def test_expected_refusal_must_come(guard, new_page) -> None:
    guard.expect(404, "/nowhere/")
    assert guard.problems == ["No answer 404 came from /nowhere/."]
    new_page().goto("/nowhere/")
    assert guard.problems == []
