"""Pictures of a page for people to look at: light and dark, narrow and wide.

Decides sizes, names and when a page is ready; refuses to know what a page shows.
"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

SIZES = ((1280, 800), (1920, 1080))
_READY = """() => document.fonts.status === 'loaded' && !document.querySelector('[aria-busy="true"]')
  && [...document.images].every((image) => image.complete || image.loading === 'lazy')"""


def shoot(page: Page, name: str, *, folder: Path, full: bool = False) -> list[Path]:
    """Write NAME-light-1280.png and so on; the page's size and scheme are as before afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    before = page.viewport_size
    # Nothing looks as if somebody pointed at it.
    page.mouse.move(0, 0)
    written = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            wait_ready(page)
            path = folder / f"{name}-{scheme}-{width}.png"
            page.screenshot(path=path, full_page=full, animations="disabled")
            written.append(path)
    page.emulate_media(color_scheme=None, reduced_motion="reduce")
    if before:
        page.set_viewport_size(before)
    return written


def wait_ready(page: Page) -> None:
    """Until nothing is on its way: requests, fonts, pictures, and what the page itself calls busy."""
    page.wait_for_load_state("networkidle")
    page.wait_for_function(_READY)
