"""A log of every write that the server has acknowledged, kept by the clients, and the check that none is missing.

Decides what "stored exactly once" means; refuses to trust anything the server counts.
"""

import json
import os
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from annotation.models import Annotation, Membership, Study


@dataclass(frozen=True, slots=True)
class Audit:
    """How the log compares with the rows: `missing` and `doubled` name (pseudonym, idempotency key)."""

    acknowledged: int
    missing: list[tuple[str, str]]
    doubled: list[tuple[str, str]]
    altered: list[tuple[str, str]]

    @property
    def is_whole(self) -> bool:
        return not (self.missing or self.doubled or self.altered)


class Receipts:
    """Appends a line for each acknowledged write. Safe for threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._stream = path.open("w", encoding="utf-8")
        self._lock = threading.Lock()
        self.count = 0

    def note(self, *, pseudonym: str, key: str, label: str) -> None:
        """Keep an acknowledged answer; an empty label means that one was taken back."""
        line = json.dumps({"at": time.time(), "annotator": pseudonym, "key": key, "label": label})
        with self._lock:
            self._stream.write(line + "\n")
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self.count += 1

    def close(self) -> None:
        """Close the file; its lines stay."""
        self._stream.close()


def audit(path: Path, *, study: Study) -> Audit:
    """Compare the log with what is stored: each acknowledged key exactly once, with its label."""
    people = dict(Membership.objects.filter(study=study).values_list("pk", "pseudonym"))
    stored: Counter[tuple[str, str]] = Counter()
    labels: dict[tuple[str, str], str] = {}
    rows = Annotation.objects.filter(study=study).values_list("annotator_id", "idempotency_key", "label")
    for annotator, key, label in rows.iterator():
        stored[people[annotator], key] += 1
        labels[people[annotator], key] = label
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    names = [(line["annotator"], line["key"]) for line in lines]
    return Audit(
        acknowledged=len(names),
        missing=[name for name in names if not stored[name]],
        doubled=[name for name in names if stored[name] > 1],
        altered=[
            name for name, line in zip(names, lines, strict=True) if stored[name] and labels[name] != line["label"]
        ],
    )
