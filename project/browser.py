"""Which Chromium the browser tests use, and how set-up gets one where there is none.

Decides where one is looked for and in which order one is fetched. Refuses to know what is done with it.
`python -m project.browser` is that part of `make setup`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
MISSING = (
    "No Chromium or Chrome was found, so the browser tests can't run. Install one (Debian, Ubuntu: "
    "apt install chromium; macOS: brew install --cask google-chrome), or name one: CONCORD_CHROMIUM=/path/to/chrome"
)


def find() -> Path | None:
    """An installed Chromium or Chrome, else the one that Playwright has downloaded, else None."""
    if named := os.environ.get("CONCORD_CHROMIUM"):
        return Path(named) if Path(named).is_file() else None
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found:
        return Path(found)
    return MAC if MAC.is_file() else _playwrights_own()


def ensure() -> Path | None:
    """`find`, after fetching one where there is none and the network or the package manager has one."""
    fetchers: list[Callable[[], bool]] = [_download, _install]
    path = find()
    while path is None and fetchers:
        fetchers.pop(0)()
        path = find()
    return path


def _playwrights_own() -> Path | None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where no other one is installed

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return path if path.is_file() else None


def _download() -> bool:
    print("Downloading a Chromium for the browser tests.")
    return _run(sys.executable, "-m", "playwright", "install", "chromium")


def _install() -> bool:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    print("Installing Chromium by apt-get for the browser tests.")
    return _run("apt-get", "update", "-qq") and _run(
        "apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"
    )


def _run(*command: str) -> bool:
    """Whether a command ended well within five minutes; what it says goes nowhere, as the next way is tried."""
    quiet = subprocess.DEVNULL
    try:
        return subprocess.run(command, check=False, timeout=300, stdout=quiet, stderr=quiet).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


if __name__ == "__main__":
    if ensure() is None:
        print(MISSING, file=sys.stderr)
