"""Writes a release as a folder: tables, ledger, datasheet, manifest, checksums. All of it, or nothing.

Decides files and columns; refuses to know when a release is allowed.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from annotation import chain
from annotation.releasing import datasheet, manifest, tables
from annotation.releasing.content import Content, ReleasedRegion
from annotation.releasing.manifest import FileFact

MANIFEST, CHECKSUMS = "manifest.json", "CHECKSUMS"
LABELS, ANSWERS, CLASSES, LEDGER = "labels.csv", "answers.csv", "classes.csv", "ledger.jsonl"
DATASHEET = "datasheet.md"

LABEL_COLUMNS = (
    "region slide slide_sha256 case domain x y width height label confidence method revision protocol "
    "n_answers agreement split audit"
).split()
ANSWER_COLUMNS = "region annotator number kind label protocol seconds flagged suggestion".split()
CLASS_COLUMNS = "code name colour definition special quota regions".split()


def write(content: Content, *, parent: Path) -> tuple[Path, str]:
    """Write the release into a new folder below `parent`, flushed to disk; returns the folder and the digest of its
    manifest. The folder's name is temporary: `publish` gives it its own.
    """
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="writing-", dir=parent))
    try:
        folder.chmod(0o755)
        facts = _write_parts(content, folder)
        text = manifest.render(manifest.build(content, files=facts))
        facts[MANIFEST] = _write(folder / MANIFEST, [text])
        sums = "".join(f"{fact.sha256}  {name}\n" for name, fact in sorted(facts.items()))
        _write(folder / CHECKSUMS, [sums.encode()])
        _flush(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder, facts[MANIFEST].sha256


def publish(folder: Path, *, digest: str) -> tuple[Path, bool]:
    """Give a written folder its name; returns it, and whether it is new there.

    The name is the digest of the content, so a folder of that name holds the same; one whose bytes no longer do is
    replaced.
    """
    target = folder.parent / digest
    is_new = not target.exists()
    if not is_new:
        if find_damage(target):
            shutil.rmtree(target)
        else:
            shutil.rmtree(folder)
            return target, False
    folder.rename(target)
    _flush(folder.parent)
    return target, is_new


def find_damage(folder: Path) -> list[str]:
    """Sentences for every file that is missing, additional or not what `CHECKSUMS` says."""
    sums = folder / CHECKSUMS
    if not sums.is_file():
        return [f"{CHECKSUMS} is missing: this folder is not a release, or not all of it."]
    problems, expected = [], {}
    for number, line in enumerate(sums.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        digest, _, name = line.partition("  ")
        if len(digest) != 64 or not name or "/" in name or name in ("..", CHECKSUMS):
            problems.append(f"{CHECKSUMS}, line {number} is not a digest, two spaces and a file name.")
        else:
            expected[name] = digest
    present = {path.name for path in folder.iterdir()} - {CHECKSUMS}
    problems += [f"{name} is missing." for name in sorted(expected.keys() - present)]
    problems += [f"{name} does not belong to the release." for name in sorted(present - expected.keys())]
    for name in sorted(expected.keys() & present):
        if not (folder / name).is_file() or hash_file(folder / name) != expected[name]:
            problems.append(f"{name} was altered: its SHA-256 is not the one in {CHECKSUMS}.")
    return problems


def hash_file(path: Path) -> str:
    """SHA-256 (hex) of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write_parts(content: Content, folder: Path) -> dict[str, FileFact]:
    codes = content.codes
    columns = [*LABEL_COLUMNS, *(f"p_{code}" for code in codes)]
    labels = tables.render(columns, (_label_row(region, codes) for region in content.regions))
    answers = tables.render(
        ANSWER_COLUMNS,
        (
            (one.region, one.annotator, one.number, one.kind, one.label, one.protocol, one.seconds)
            + (one.is_flagged, one.suggestion)
            for one in content.answers
        ),
    )
    counts = manifest.count(content)["classes"]
    classes = tables.render(
        CLASS_COLUMNS,
        (
            (one.code, one.name, one.colour, one.definition, one.is_special, one.quota, counts.get(one.code, 0))
            for one in content.classes
        ),
    )
    lines = (f"{chain.to_line(link)}\n".encode() for link in content.links)
    return {
        LABELS: _write(folder / LABELS, [labels], rows=len(content.regions)),
        ANSWERS: _write(folder / ANSWERS, [answers], rows=len(content.answers)),
        CLASSES: _write(folder / CLASSES, [classes], rows=len(content.classes)),
        LEDGER: _write(folder / LEDGER, lines, rows=content.position),
        DATASHEET: _write(folder / DATASHEET, [datasheet.render(content).encode()]),
    }


def _label_row(region: ReleasedRegion, codes: list[str]) -> list[object]:
    slide = region.slide
    known = region.posterior
    confidence = known[codes.index(region.label)] if known else None
    where: list[object] = [region.region, slide.slide, slide.sha256, slide.case, slide.domain]
    where += [region.x, region.y, region.width, region.height]
    what: list[object] = [region.label, confidence, region.method, region.revision, region.protocol]
    what += [region.opinions, region.agreement, slide.split, region.audit]
    return [*where, *what, *(known or [None] * len(codes))]


def _write(path: Path, parts: Iterable[bytes], *, rows: int | None = None) -> FileFact:
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as stream:
        for part in parts:
            stream.write(part)
            digest.update(part)
            size += len(part)
        stream.flush()
        os.fsync(stream.fileno())
    path.chmod(0o644)
    return FileFact(digest.hexdigest(), size, rows)


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
