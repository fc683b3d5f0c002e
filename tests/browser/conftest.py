"""What browser tests share: one browser a run, a page a person, a guard that nothing escapes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect

from annotation.models import Membership
from project import browser as chromium
from project.places import var_folder
from tests.browser import axe as axe_core
from tests.browser import shots
from tests.browser import smear as smears
from tests.browser.guard import Guard
from tests.browser.server import Site
from tests.browser.smear import Smear

# Playwright's loop runs in the tests' own thread; Django would refuse to ask the database beside it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# Two workers on two cores: what takes a second alone may take ten.
expect.set_options(timeout=20_000)

HERE = Path(__file__).parent
# Drawing by an emulated graphics card (some packages ask for it) costs a fifth more than drawing without one.
FLAGS = [
    "--disable-gpu", "--disable-gpu-rasterization", "--disable-software-rasterizer", "--in-process-gpu",
    "--disable-background-networking", "--disable-dev-shm-usage", "--font-render-hinting=none",
]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real rows, real threads: two workers on two cores need more time than the rest."""
    for item in items:
        if HERE in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(240))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The installed Chromium; skips loudly where there is none, and fails in continuous integration."""
    path = chromium.find()
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(chromium.MISSING)
    return {**browser_type_launch_args, "executable_path": str(path), "args": FLAGS}


@pytest.fixture(scope="session")
def base_url() -> None:
    """None: the site's address belongs to a test, not to the run. (The plug-in's own fixture warns.)"""


@pytest.fixture(scope="session")
def _server() -> Iterator[Site]:
    site = Site()
    yield site
    site.stop()


@pytest.fixture
def site(committed: None, _server: Site) -> Iterator[str]:
    """The address of the running site, on the test database with real commits."""
    cache.clear()
    yield _server.url
    _server.wait_at_rest()


@pytest.fixture
def guard(site: str) -> Iterator[Guard]:
    """Sees every page of the test; at its end nothing forbidden may have happened."""
    watching = Guard(host=urlsplit(site).netloc)
    yield watching
    watching.check()


@pytest.fixture
def new_page(site: str, guard: Guard, new_context: Callable[..., BrowserContext]) -> Callable[..., Page]:
    """A guarded page in a context of its own, signed in as nobody."""

    def make(**options: Any) -> Page:
        size = options.pop("viewport", {"width": 1280, "height": 800})
        context = new_context(base_url=site, viewport=size, reduced_motion="reduce", locale="en-GB", **options)
        context.set_default_timeout(30_000)
        guard.watch(context)
        return context.new_page()

    return make


@pytest.fixture
def sign_in(site: str) -> Callable[[Page, Membership], Page]:
    """Give a page the session of a member, as the log-in form would."""

    def enter(page: Page, member: Membership) -> Page:
        client = Client()
        client.force_login(member.user)
        page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
        return page

    return enter


@pytest.fixture
def page_for(new_page: Callable[..., Page], sign_in: Callable[[Page, Membership], Page]) -> Callable[..., Page]:
    """A guarded page of a member: `page_for(smear.annotator)`; `page.goto(smear.url("queue"))` opens a screen."""

    def make(member: Membership, **options: Any) -> Page:
        return sign_in(new_page(**options), member)

    return make


@pytest.fixture
def axe() -> Callable[..., None]:
    """Zero violations of WCAG A and AA on the page as it is now, in light and in dark."""

    def check(page: Page, **options: Any) -> None:
        shots.wait_ready(page)
        found = axe_core.violations(page, **options)
        assert not found, f"axe-core on {page.url}:\n" + "\n".join(found)

    return check


@pytest.fixture
def shoot() -> Callable[..., None]:
    """Pictures of the page into var/screens, where CONCORD_SHOTS is set (to a folder, or to 1)."""
    wanted = os.environ.get("CONCORD_SHOTS", "")
    folder = var_folder().parent / "screens" if wanted == "1" else Path(wanted)

    def take(page: Page, name: str, **options: Any) -> None:
        if wanted:
            shots.shoot(page, name, folder=folder, **options)

    return take


@pytest.fixture
def smear(site: str) -> Smear:
    """A running study of drawn smears; see `make_smear` for another policy."""
    return smears.build(folder=var_folder() / "samples")


@pytest.fixture
def make_smear(site: str) -> Callable[..., Smear]:
    """`make_smear(min_overlap=1, queued=12)`: the same study under another policy, or a second one (`slug`)."""

    def make(**options: Any) -> Smear:
        return smears.build(folder=var_folder() / "samples", **options)

    return make
