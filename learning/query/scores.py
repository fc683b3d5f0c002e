"""Scores of a pool as compact columns: kept in a file per slide, merged when a batch is drawn.

Decides dtypes and the file. Refuses to know how a score came about.
"""

import os
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DTYPES: dict[str, type[np.generic]] = {
    "margin": np.float16,
    "confidence": np.float16,
    "top1": np.uint8,
    "top2": np.uint8,
    "entropy": np.float16,
    "mutual_information": np.float16,
    "mean_entropy": np.float16,
}


class ScoresError(Exception):
    """A file of scores is missing or damaged."""


@dataclass(frozen=True)
class Scores:
    """Columns of length N: 12 bytes a region. Probabilities and nats; classes by index."""

    margin: NDArray[np.float16]
    confidence: NDArray[np.float16]
    top1: NDArray[np.uint8]
    top2: NDArray[np.uint8]
    entropy: NDArray[np.float16]
    mutual_information: NDArray[np.float16]
    mean_entropy: NDArray[np.float16]

    @classmethod
    def allocate(cls, count: int) -> "Scores":
        """Columns of zeros for `count` regions, to be filled in place."""
        columns: dict[str, Any] = {name: np.zeros(count, dtype=dtype) for name, dtype in _DTYPES.items()}
        return cls(**columns)

    def __len__(self) -> int:
        return len(self.margin)


def merge(parts: Sequence[Scores]) -> Scores:
    """Scores of several slides as one pool, in the order given."""
    if not parts:
        return Scores.allocate(0)
    columns = {field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Scores)}
    return Scores(**columns)


def save(path: Path, scores: Scores) -> None:
    """Write scores as .npz; the file appears whole or not at all, and replaces an older one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".draft")
    try:
        with os.fdopen(handle, "wb") as file:
            columns: dict[str, Any] = {column: getattr(scores, column) for column in _DTYPES}
            np.savez(file, allow_pickle=False, **columns)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load(path: Path) -> Scores:
    """Read scores; raises ScoresError for a file that is missing, damaged or not one of ours."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            columns = {name: stored[name] for name in _DTYPES}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ScoresError(
            f"{path}: cannot be read as scores ({error}). Delete it; the slide is scored again."
        ) from error
    lengths = {len(column) for column in columns.values()}
    if len(lengths) != 1 or any(columns[name].dtype != dtype for name, dtype in _DTYPES.items()):
        raise ScoresError(f"{path}: the columns do not fit together. Delete it; the slide is scored again.")
    return Scores(**columns)
