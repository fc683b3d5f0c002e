"""Holds a page to WCAG 2 A and AA by axe-core, in light and in dark.

Decides which rules count and how a violation reads; refuses to know the page.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from playwright.sync_api import Page

from project import assets

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
_RUN = """async ({tags, rules}) => {
  const found = await axe.run(document, {runOnly: {type: 'tag', values: tags}, rules, preload: false,
                                         resultTypes: ['violations'], elementRef: false});
  return found.violations.map(({id, help, nodes}) => ({id, help, nodes: nodes.slice(0, 5).map(
    ({target, failureSummary, html}) => ({target: target.join(' '), failureSummary, html: html.slice(0, 200)}))}));
}"""


def violations(page: Page, *, schemes: tuple[str, ...] = ("light", "dark"), without: tuple[str, ...] = ()) -> list[str]:
    """A paragraph per violation. `without` names rules that do not apply, for a reason the caller writes down."""
    if not page.evaluate("() => 'axe' in window"):
        # Through the debugger's door, which a strict content policy leaves open to the tests alone.
        page.evaluate(_source())
    rules = {name: {"enabled": False} for name in without}
    found: list[str] = []
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        results = page.evaluate(_RUN, {"tags": TAGS, "rules": rules})
        found += [f"{scheme}: {_tell(result)}" for result in results]
    page.emulate_media(color_scheme=None, reduced_motion="reduce")
    return found


def _tell(result: dict[str, Any]) -> str:
    nodes = "\n".join(
        f"    {node['target']}: {node['failureSummary']}\n      {node['html']}" for node in result["nodes"]
    )
    return f"{result['id']}: {result['help']}\n{nodes}"


@cache
def _source() -> str:
    return (assets.packages_folder() / "axe-core/axe.min.js").read_text("utf-8")
