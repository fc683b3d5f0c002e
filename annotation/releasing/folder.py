"""Writes a release as a folder: tables, formats, ledger, datasheet, manifest, checksums. All of it, or nothing.

Decides the order and that nothing is half written; what the files hold is `parts`, and what they are called is `files`.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from annotation.releasing import files, manifest, parts
from annotation.releasing.content import Content
from annotation.releasing.manifest import FileFact
from annotation.releasing.parts import Part


def write(content: Content, *, parent: Path, extras: Iterable[Part] = ()) -> tuple[Path, str]:
    """Write the release into a new folder below `parent`, flushed to disk; returns the folder and the digest of its
    manifest. The folder's name is temporary: `publish` gives it its own. `extras` are model and pictures, where wanted.
    """
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="writing-", dir=parent))
    try:
        folder.chmod(0o755)
        facts: dict[str, FileFact] = {}
        for part in (*parts.tables_of(content), *parts.formats_of(content)):
            facts[part.name] = _write(folder / part.name, part)
        for part in extras:
            facts[part.name] = _write(folder / part.name, part)
        for part in parts.pages_of(content, facts=facts):
            facts[part.name] = _write(folder / part.name, part)
        text = manifest.render(manifest.build(content, files=facts))
        facts[files.MANIFEST] = _write(folder / files.MANIFEST, Part(files.MANIFEST, [text]))
        sums = "".join(f"{fact.sha256}  {name}\n" for name, fact in sorted(facts.items()))
        _write(folder / files.CHECKSUMS, Part(files.CHECKSUMS, [sums.encode()]))
        for inside in [path for path in folder.rglob("*") if path.is_dir()]:
            _flush(inside)
        _flush(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder, facts[files.MANIFEST].sha256


def publish(folder: Path, *, digest: str) -> tuple[Path, bool]:
    """Give a written folder its name; returns it, and whether it is new there.

    The name is the digest of the content, so a folder of that name holds the same; one whose bytes no longer do is
    replaced.
    """
    target = folder.parent / digest
    is_new = not target.exists()
    if not is_new:
        if files.find_damage(target):
            shutil.rmtree(target)
        else:
            shutil.rmtree(folder)
            return target, False
    folder.rename(target)
    _flush(folder.parent)
    return target, is_new


def _write(path: Path, part: Part) -> FileFact:
    if not files.is_name(part.name):
        raise ValueError(f"A release holds no file named {part.name!r}.")
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True)
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as stream:
        for block in part.blocks:
            stream.write(block)
            digest.update(block)
            size += len(block)
        stream.flush()
        os.fsync(stream.fileno())
    path.chmod(0o644)
    return FileFact(digest.hexdigest(), size, part.rows)


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
