"""The browser's files from npm: whole, checked, with their licences, and fit for collectstatic with hashed names."""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from project import assets
from project.places import REPOSITORY
from tests.architecture.tree import list_files, name_of, read_text

OUTSIDE = re.compile(r"""(?:src|href|action)=["'](?:https?:)?//""")


@pytest.fixture
def declared(tmp_path: Path) -> tuple[Path, Path, tuple[assets.Asset, ...]]:
    """A packages folder with one declared file, and a folder to copy it to."""
    packages, folder = tmp_path / "node_modules", tmp_path / "vendor"
    (packages / "tool").mkdir(parents=True)
    (packages / "tool/tool.js").write_text("tool()")
    asset = assets.Asset(source="tool/tool.js", target="tool/t.js", sha256=hashlib.sha256(b"tool()").hexdigest())
    return packages, folder, (asset,)


def test_every_declared_file_is_in_static_with_its_digest_and_its_licence(settings) -> None:
    for asset in assets.ASSETS:
        content = (settings.VENDOR / asset.target).read_bytes()
        assert hashlib.sha256(content).hexdigest() == asset.sha256, asset.target
    packages = {asset.target.split("/")[0] for asset in assets.ASSETS}
    licensed = {asset.target.split("/")[0] for asset in assets.ASSETS if "LICENSE" in asset.target}
    assert packages == licensed


def test_second_fetch_writes_nothing_and_strangers_are_taken_away(declared) -> None:
    packages, folder, wanted = declared
    folder.mkdir()
    (folder / "old.js").touch()
    assert assets.fetch(packages=packages, folder=folder, assets=wanted) == ["tool/t.js"]
    assert assets.fetch(packages=packages, folder=folder, assets=wanted) == []
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["t.js"]
    (folder / "tool/t.js").write_text("changed by hand")
    assert assets.fetch(packages=packages, folder=folder, assets=wanted) == ["tool/t.js"]


def test_another_file_than_the_declared_one_is_refused_and_nothing_is_copied(declared) -> None:
    packages, folder, wanted = declared
    (packages / "tool/tool.js").write_text("tool(); steal()")
    with pytest.raises(assets.AssetError, match=r"tool\.js is not the file that project/assets\.py declares"):
        assets.fetch(packages=packages, folder=folder, assets=wanted)
    assert not folder.exists()


def test_missing_packages_are_one_sentence_with_the_remedy(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(assets, "packages_folder", lambda: tmp_path)
    with pytest.raises(CommandError, match=r"openseadragon\.min\.js is missing: run make setup"):
        call_command("fetch_assets")


def test_collectstatic_with_hashed_names_passes(settings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
    }
    call_command("collectstatic", interactive=False, verbosity=0, stdout=io.StringIO())
    for name in ("vendor/openseadragon/openseadragon", "vendor/echarts/echarts", "concord/concord"):
        assert list(settings.STATIC_ROOT.glob(f"{name}.*")), name


def test_lock_has_digests_and_names_no_registry() -> None:
    lock = (REPOSITORY / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert lock.count('"integrity"') == lock.count('"node_modules/')


def test_no_template_or_script_names_another_host() -> None:
    ours = [path for path in list_files() if path.suffix in {".html", ".css", ".js"}]
    assert [name_of(path) for path in ours if OUTSIDE.search(read_text(path) or "")] == []
    loads = re.compile(r"""(?:import|from|fetch\(|url\()\s*\(?["']?https?://""")
    assert [name_of(path) for path in ours if loads.search(read_text(path) or "")] == []
