"""The files of a release: what they are called, and whether a folder holds exactly those of its `CHECKSUMS`.

Decides which names a release may hold; refuses to know what is in the files.
"""

import hashlib
import re
from pathlib import Path

MANIFEST, CHECKSUMS = "manifest.json", "CHECKSUMS"
LABELS, ANSWERS, CLASSES, LEDGER = "labels.csv", "answers.csv", "classes.csv", "ledger.jsonl"
DATASHEET, README = "datasheet.md", "README.md"

_NAME = re.compile(r"\w[\w.+-]*(/\w[\w.+-]*)*", re.ASCII)


def is_name(name: str) -> bool:
    """Whether a release may hold a file of this name: every part begins with a letter or digit, so none leads out."""
    return _NAME.fullmatch(name) is not None


def listed(folder: Path) -> dict[str, Path]:
    """Name -> file, of everything below `folder`, in the order of names. Links are no files of a release."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    return {name: found[name] for name in sorted(found)}


def find_damage(folder: Path) -> list[str]:
    """Sentences for every file that is missing, additional or not what `CHECKSUMS` says."""
    sums = folder / CHECKSUMS
    if not sums.is_file():
        return [f"{CHECKSUMS} is missing: this folder is not a release, or not all of it."]
    problems, expected = [], {}
    for number, line in enumerate(sums.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        digest, _, name = line.partition("  ")
        if len(digest) != 64 or not is_name(name) or name == CHECKSUMS:
            problems.append(f"{CHECKSUMS}, line {number} is not a digest, two spaces and a file name.")
        else:
            expected[name] = digest
    present = listed(folder)
    present.pop(CHECKSUMS, None)
    problems += [f"{name} is missing." for name in sorted(expected.keys() - present.keys())]
    problems += [f"{name} does not belong to the release." for name in sorted(present.keys() - expected.keys())]
    for name in sorted(expected.keys() & present.keys()):
        if present[name].is_symlink() or not present[name].is_file() or hash_file(present[name]) != expected[name]:
            problems.append(f"{name} was altered: its SHA-256 is not the one in {CHECKSUMS}.")
    return problems


def hash_file(path: Path) -> str:
    """SHA-256 (hex) of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
