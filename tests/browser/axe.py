"""Holds a page to WCAG 2 A and AA by axe-core, in light and in dark.

Decides which rules count and how a violation reads; refuses to know the page.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from playwright.sync_api import Page

from project import assets

# All rules run in the first scheme; what the second one can change is colour alone.
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
_RUN = """async (options) => {
  const found = await axe.run(document, {...options, preload: false, resultTypes: ['violations'], elementRef: false});
  return found.violations.map(({id, help, nodes}) => ({id, help, nodes: nodes.slice(0, 5).map(
    ({target, failureSummary, html}) => ({target: target.join(' '), failureSummary, html: html.slice(0, 200)}))}));
}"""


def violations(page: Page, *, schemes: tuple[str, ...] = ("light", "dark")) -> list[str]:
    """A paragraph per violation."""
    if not page.evaluate("() => 'axe' in window"):
        # Through the debugger's door, which a strict content policy leaves open to the tests alone.
        page.evaluate(_source())
    found: list[str] = []
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        only = {"type": "tag", "values": TAGS} if scheme == schemes[0] else {"type": "rule", "values": COLOUR_RULES}
        found += [f"{scheme}: {_tell(result)}" for result in page.evaluate(_RUN, {"runOnly": only})]
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
