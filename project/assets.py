"""The files of npm packages that the browser gets, copied into static with the licences they come with.

Decides which files these are, byte for byte. Refuses to know how the packages were installed (project/npm.sh)
and what the pages do with them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from project.places import REPOSITORY


class AssetError(Exception):
    """A declared file is missing or is not the one that was declared; the text says what to do."""


@dataclass(frozen=True)
class Asset:
    """One file: its place below node_modules, below static/vendor, and what it must be."""

    source: str
    target: str
    sha256: str


ASSETS = (
    Asset(
        source="openseadragon/build/openseadragon/openseadragon.min.js",
        target="openseadragon/openseadragon.min.js",
        sha256="14d587cd3ee7c4861f1a41077ce642029364a21029956ba635bd8fb1202cf9ad",
    ),
    # The minified file names its source map, so collectstatic with hashed names stops without it.
    Asset(
        source="openseadragon/build/openseadragon/openseadragon.min.js.map",
        target="openseadragon/openseadragon.min.js.map",
        sha256="5b92a5124d2623c9f4b0b24f34ecde566b52ec2241dc3db3317e1c3d5b7885c0",
    ),
    Asset(
        source="openseadragon/LICENSE.txt",
        target="openseadragon/LICENSE.txt",
        sha256="17da96b26ac706d2cbd06d4555dedb43026782f4943faf0156fe7acf89454228",
    ),
    Asset(
        source="echarts/dist/echarts.min.js",
        target="echarts/echarts.min.js",
        sha256="b66b25aeb4df84e33199dc21694014d336d222cbd9deb0e5a7c14bd6aa0d0fd0",
    ),
    Asset(
        source="echarts/LICENSE",
        target="echarts/LICENSE",
        sha256="634293835b43a6dd2094fa39182a3d9a6b9ca43b7fdb9ac354e8037af2a3093a",
    ),
    Asset(
        source="echarts/NOTICE",
        target="echarts/NOTICE",
        sha256="d491d358344f842685c1b1585970999db65fe30ecf7ef3867af8814f4016c016",
    ),
    # The built file of ECharts holds parts of these three.
    Asset(
        source="echarts/licenses/LICENSE-d3",
        target="echarts/LICENSE-d3",
        sha256="e1211892da0b0e0585b7aebe8f98c1274fba15bafe47fa1f4ee8a7a502c06304",
    ),
    Asset(
        source="zrender/LICENSE",
        target="echarts/LICENSE-zrender",
        sha256="a681e9d183c72b4af4856935893805eb48c08f0f5a3f260203db7444c20fb98a",
    ),
    Asset(
        source="tslib/LICENSE.txt",
        target="echarts/LICENSE-tslib",
        sha256="210b19e543130388c68654b7497e967119ce17145f66ab7d85688fbd70f08751",
    ),
)


def packages_folder() -> Path:
    """Where project/npm.sh has put the packages: beside the environment if the clone is not ours, else in it."""
    beside = Path(sys.prefix) / "npm" / "node_modules"
    return beside if beside.is_dir() else REPOSITORY / "node_modules"


def fetch(*, packages: Path, folder: Path, assets: tuple[Asset, ...] = ASSETS) -> list[str]:
    """Make `folder` hold the declared files and no others; the targets that were written. AssetError: see there."""
    problems = [problem for asset in assets if (problem := _problem(asset, packages))]
    if problems:
        raise AssetError("\n".join(problems))
    wanted = {folder / asset.target: asset for asset in assets}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path not in wanted:
            path.unlink()
    written = [target for target, asset in wanted.items() if not _holds(target, asset)]
    for target in written:
        _copy(packages / wanted[target].source, target)
    return [target.relative_to(folder).as_posix() for target in written]


def _problem(asset: Asset, packages: Path) -> str:
    source = packages / asset.source
    if not source.is_file():
        return f"{source} is missing: run make setup, which installs the npm packages of package-lock.json."
    if not _holds(source, asset):
        return (
            f"{source} is not the file that project/assets.py declares ({asset.sha256[:12]}...). Delete "
            f"{packages} and run make setup; after a wanted update, declare the new digest."
        )
    return ""


def _holds(path: Path, asset: Asset) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == asset.sha256


def _copy(source: Path, target: Path) -> None:
    """By a rename: a server that runs never sees half a file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copyfile(source, partial)
    partial.replace(target)
