"""Where a Chromium is looked for, and what is tried where there is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from project import browser


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """No browser anywhere; the commands that were run to get one."""
    commands: list[tuple[str, ...]] = []
    monkeypatch.delenv("CONCORD_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(browser, "MAC", tmp_path / "none")
    monkeypatch.setattr(browser, "_playwrights_own", lambda: None)
    monkeypatch.setattr(browser, "_run", lambda *command: commands.append(command) or True)
    return commands


def program(path: Path) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_named_one_wins_and_a_wrong_name_is_not_passed_over(bare, tmp_path: Path, monkeypatch) -> None:
    program(tmp_path / "chromium")
    own = program(tmp_path / "my-chrome")
    monkeypatch.setenv("CONCORD_CHROMIUM", str(own))
    assert browser.find() == own
    monkeypatch.setenv("CONCORD_CHROMIUM", str(tmp_path / "gone"))
    assert browser.find() is None


def test_installed_one_is_taken_and_nothing_is_fetched(bare, tmp_path: Path) -> None:
    path = program(tmp_path / "google-chrome")
    assert browser.ensure() == path
    assert bare == []


def test_download_comes_first_then_apt_get_for_root_alone(bare, tmp_path: Path, monkeypatch) -> None:
    program(tmp_path / "apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert browser.ensure() is None
    assert [command[-2:] for command in bare] == [("install", "chromium")]
    bare.clear()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert browser.ensure() is None
    assert [command[-2:] for command in bare][1:] == [("update", "-qq"), ("--no-install-recommends", "chromium")]
