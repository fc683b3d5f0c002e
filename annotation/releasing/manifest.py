"""The manifest: what a release holds, where it comes from and the digest of every file.

Decides the manifest's form; refuses to write or read anything.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from annotation import canonical
from annotation.releasing.content import Content

FORMAT = "concord-release"
VERSION = 2
"""2 since releases hold other programs' formats, too."""


@dataclass(frozen=True, slots=True)
class FileFact:
    """SHA-256 (hex), size in bytes and, for tables, the number of rows without the header."""

    sha256: str
    size_bytes: int
    rows: int | None = None


def build(content: Content, *, files: Mapping[str, FileFact]) -> dict[str, Any]:
    """The manifest as JSON values, the same for the same content."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "study": dict(content.study),
        "pass": {"number": content.pass_number, "at": content.pass_at, "rules": dict(content.rules)},
        "ledger": {"position": content.position, "digest": content.digest},
        "protocol": {
            "number": content.protocol,
            "classes": content.codes,
            "special": [item.code for item in content.classes if item.is_special],
            "guideline_digest": canonical.digest(content.guideline),
            "mappings": {number: dict(table) for number, table in content.mappings.items()},
        },
        "counts": count(content),
        "slides": [asdict(slide) for slide in content.slides],
        "splits": {slide.case: slide.split for slide in content.slides},
        "decisions": [asdict(decision) for decision in content.decisions],
        "open_warnings": dict(content.open_warnings),
        "facts": dict(content.facts),
        "files": {name: asdict(fact) for name, fact in sorted(files.items())},
    }


def count(content: Content) -> dict[str, Any]:
    """How many of everything a release holds."""
    return {
        "regions": len(content.regions),
        "answers": len(content.answers),
        "annotators": len({answer.annotator for answer in content.answers}),
        "slides": len(content.slides),
        "cases": len({slide.case for slide in content.slides}),
        "classes": dict(sorted(Counter(region.label for region in content.regions).items())),
        "splits": dict(sorted(Counter(region.slide.split for region in content.regions).items())),
        "methods": dict(sorted(Counter(region.method for region in content.regions).items())),
    }


def render(manifest: Mapping[str, Any]) -> bytes:
    """Canonical JSON: its SHA-256 is the name of the release."""
    return (canonical.dumps(manifest) + "\n").encode()
