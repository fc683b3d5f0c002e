"""The rules that need a model, on real cells with a planted truth: precision and recall, and what they cost.

Features lie below var/ between runs. Labels are flipped at random (to any other class) or to one fixed other class.
"""

import csv
import io
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from learning.features import get_encoder
from learning.features.rows import FeatureRows
from learning.review.label_errors import find_label_errors
from learning.review.look import Look
from learning.review.near_duplicates import find_near_duplicates, propose
from learning.review.registration import EDGE
from learning.slides.reader import open_slide
from learning.slides.tiles import pixel_digest, read_patch
from tests import studies

SOURCES = {"bccd": "blood_bccd", "chula": "blood_chula_rbc12"}
SEEDS, FLIPPED, SUSPICION, PLANTED = 5, 0.1, 0.1, 300
CACHE = Path("var/reviewing")
KINDS = ("rotated", "flipped", "encoded", "shifted", "all of it")


@dataclass(frozen=True)
class Cells:
    """N cells: pixels as the encoder sees them and as the slide has them, features, labels, cases, boxes, slides."""

    pixels: NDArray[np.uint8]
    features: NDArray[np.float16]
    labels: NDArray[np.int64]
    cases: NDArray[np.int64]
    boxes: NDArray[np.int64]
    slides: NDArray[np.str_]
    folder: Path


def find_source(kind: str) -> Path | None:
    """The folder of a sample's data; None where it is absent."""
    source = Path(os.environ.get("CONCORD_SHARED", "../shared")) / "data" / SOURCES[kind]
    return source if source.is_dir() else None


def read_cells(kind: str) -> Cells | None:
    """The cells of a sample as a study folder cuts them; None where the sample is absent."""
    source = find_source(kind)
    if source is None:
        return None
    folder, stored = CACHE / kind, CACHE / f"{kind}.npz"
    if not stored.is_file():
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not folder.is_dir():
            studies.CONVERTERS[kind](source, folder)
        _encode(folder, stored)
    with np.load(stored) as kept:
        return Cells(**{name: kept[name] for name in kept.files}, folder=folder)


def _encode(folder: Path, stored: Path) -> None:
    regions, truth, slides = (_read(folder / f"{name}.csv") for name in ("regions", "truth", "slides"))
    case_of = {row["path"]: row["case"] for row in slides}
    boxes = np.array([[int(row[key]) for key in ("x", "y", "width", "height")] for row in regions])
    named = np.array([row["slide"] for row in regions])
    pixels = np.empty((len(regions), EDGE, EDGE, 3), dtype=np.uint8)
    for slide in np.unique(named):
        with open_slide(folder / slide) as reader:
            for at in np.flatnonzero(named == slide):
                x, y, width, height = boxes[at].tolist()
                pixels[at] = read_patch(reader, x=x, y=y, width=width, height=height, edge=EDGE)
    np.savez(
        stored,
        pixels=pixels,
        features=get_encoder("colour-texture").encode(pixels),
        labels=np.unique([row["label"] for row in truth], return_inverse=True)[1],
        cases=np.unique([case_of[name] for name in named], return_inverse=True)[1],
        boxes=boxes,
        slides=named,
    )


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def measure_label_errors(*, seeds: int = SEEDS) -> dict[str, Any]:
    """Precision and recall of flipped labels, ours and cleanlab's filters on the same out-of-fold probabilities."""
    flips: dict[str, Callable[..., NDArray[np.int64]]] = {"any class": _flip_any, "one class": _flip_one}
    return {
        f"{kind}, to {name}": _measure_flips(cells, flip, seeds) if (cells := read_cells(kind)) else "sample absent"
        for kind in SOURCES
        for name, flip in flips.items()
    }


def _flip_any(labels: NDArray[np.int64], classes: int, generator: np.random.Generator) -> NDArray[np.int64]:
    return (labels + generator.integers(1, classes, len(labels))) % classes


def _flip_one(labels: NDArray[np.int64], classes: int, generator: np.random.Generator) -> NDArray[np.int64]:
    return (labels + 1) % classes


def _measure_flips(cells: Cells, flip: Callable[..., NDArray[np.int64]], seeds: int) -> dict[str, Any]:
    classes, rows = int(cells.labels.max()) + 1, FeatureRows([cells.features])
    found: dict[str, list[tuple[float, float]]] = {}
    seconds = 0.0
    for seed in range(seeds):
        generator = np.random.default_rng(seed)
        is_flipped = generator.random(len(cells.labels)) < FLIPPED
        labels = np.where(is_flipped, flip(cells.labels, classes, generator), cells.labels)
        started = time.perf_counter()
        errors = find_label_errors(rows, labels=labels, groups=cells.cases, classes=classes, seed=seed)
        seconds += time.perf_counter() - started
        ways = {"ours": errors.suspicion > SUSPICION, **_ask_cleanlab(labels, errors.proba)}
        for name, named in ways.items():
            found.setdefault(name, []).append(_rate(named, is_flipped))
    table = {name: _bound(np.array(rates)) for name, rates in found.items()}
    ours, default = (np.array(found[name]) for name in ("ours", "cleanlab default"))
    return table | {
        "not below cleanlab": int((ours >= default).all(axis=1).sum()),
        "seconds": round(seconds / seeds, 1),
    }


def _ask_cleanlab(labels: NDArray[np.int64], proba: NDArray[np.float64]) -> dict[str, NDArray[np.bool_]]:
    from cleanlab.filter import find_label_issues

    names = ("prune_by_noise_rate", "both", "confident_learning", "low_normalized_margin", "low_self_confidence")
    proba = proba / proba.sum(axis=1, keepdims=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        said = {name: find_label_issues(labels, proba, filter_by=name, n_jobs=1) for name in names}
    return {"cleanlab default" if name == names[0] else f"cleanlab {name}": value for name, value in said.items()}


def _rate(named: NDArray[np.bool_], truth: NDArray[np.bool_]) -> tuple[float, float]:
    hits = int((named & truth).sum())
    return hits / max(int(named.sum()), 1), hits / max(int(truth.sum()), 1)


def _bound(rates: NDArray[np.float64]) -> dict[str, list[float]]:
    """Mean, lowest and highest of the seeds."""
    values = np.round(np.stack([rates.mean(axis=0), rates.min(axis=0), rates.max(axis=0)], axis=1), 3)
    return {"precision": values[0].tolist(), "recall": values[1].tolist()}


def measure_near_duplicates(*, planted: int = PLANTED, seed: int = 0) -> dict[str, Any]:
    """Precision and recall of duplicates planted among all real cells of both samples, a kind at a time."""
    parts = [cells for kind in SOURCES if (cells := read_cells(kind))]
    if len(parts) < len(SOURCES):
        return {"skipped": "A sample is absent; set CONCORD_SHARED to the folder that has them."}
    generator = np.random.default_rng(seed)
    real = np.concatenate([cells.pixels for cells in parts])
    owner = np.repeat(np.arange(len(parts)), [len(cells.pixels) for cells in parts])
    starts = np.cumsum([0, *(len(cells.pixels) for cells in parts)])
    sources = np.stack([generator.permutation(len(real))[:planted] for _ in KINDS])
    copies = [
        _copy(kind, parts[owner[source]], int(source - starts[owner[source]]), generator)
        for kind, row in zip(KINDS, sources, strict=True)
        for source in row
    ]
    pixels = np.concatenate([real, np.stack(copies)])
    pair_of = dict(zip(range(len(real), len(pixels)), sources.ravel().tolist(), strict=True))
    boxes = np.concatenate([cells.boxes for cells in parts])
    slides = np.concatenate([[f"{n}/{name}" for name in cells.slides] for n, cells in enumerate(parts)])
    known = np.concatenate([cells.features for cells in parts])
    features = np.concatenate([known, get_encoder("colour-texture").encode(np.stack(copies))])
    started = time.perf_counter()
    hashes = Look().encode(pixels)[:, :-1]
    hashing = time.perf_counter() - started
    started = time.perf_counter()
    read: list[int] = []

    def take(rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        read.append(len(rows))
        return pixels[rows]

    found = find_near_duplicates(
        (("perceptual", FeatureRows([hashes])), ("embedding", FeatureRows([features]))),
        digests=[pixel_digest(one) for one in pixels],
        read=take,
        seed=seed,
    )
    seconds = time.perf_counter() - started
    pairs = [(one.first, one.second) for one in found]
    return _judge(pairs, pair_of, boxes, slides, len(real)) | {
        "regions": len(pixels),
        "hash_us_per_region": round(1e6 * hashing / len(pixels)),
        "search_and_confirm_seconds": round(seconds, 1),
        "pixels_read": sum(read),
    }


def _copy(kind: str, cells: Cells, at: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    x, y, width, height = cells.boxes[at].tolist()
    step = np.zeros(2, dtype=np.int64)
    while kind in ("shifted", "all of it") and not step.any():
        step = generator.choice([-2, 0, 2], 2)
    with open_slide(cells.folder / str(cells.slides[at])) as reader:
        edge = max(width, height)
        raw = read_patch(reader, x=x + int(step[0]), y=y + int(step[1]), width=width, height=height, edge=edge)
    if kind in ("encoded", "all of it"):
        file = io.BytesIO()
        Image.fromarray(raw).save(file, "JPEG", quality=int(generator.integers(50, 91)))
        raw = np.asarray(Image.open(file).convert("RGB"))
    if kind in ("rotated", "flipped", "all of it"):
        raw = np.rot90(raw, int(generator.integers(1 if kind == "rotated" else 0, 4)))
        raw = raw[:, ::-1] if kind == "flipped" or (kind == "all of it" and generator.random() < 0.5) else raw
    image = Image.fromarray(np.ascontiguousarray(raw))
    return np.asarray(image.resize((EDGE, EDGE), Image.Resampling.BILINEAR))


def _judge(
    pairs: list[tuple[int, int]],
    pair_of: dict[int, int],
    boxes: NDArray[np.int64],
    slides: NDArray[np.str_],
    real: int,
) -> dict[str, Any]:
    """Recall per kind; a found pair is right where both go back to one cell, or to boxes that overlap on one slide."""
    origin = [pair_of.get(row, row) for row in range(real + len(pair_of))]
    hit = {second for first, second in pairs if pair_of.get(second) is not None and origin[first] == origin[second]}
    wrong = [pair for pair in pairs if not _is_right(*(origin[row] for row in pair), boxes, slides)]
    recall, precision = {}, {}
    for place, kind in enumerate(KINDS):
        size = len(pair_of) // len(KINDS)
        planted = range(real + place * size, real + (place + 1) * size)
        named, false = (sum(any(row in planted for row in pair) for pair in of) for of in (pairs, wrong))
        recall[kind] = round(len(hit.intersection(planted)) / size, 4)
        precision[kind] = round((named - false) / max(named, 1), 4)
    same = [pair for pair in pairs if origin[pair[0]] != origin[pair[1]]]
    true = len(pairs) - len(same)
    return {
        "recall": recall,
        "precision_of_pairs_with_it": precision,
        "recall_overall": round(len(hit) / len(pair_of), 4),
        "precision": round((len(pairs) - len(wrong)) / max(len(pairs), 1), 4),
        "precision_overlaps_wrong": round(true / max(len(pairs), 1), 4),
        "pairs": len(pairs),
        "wrong": [[int(row) for row in pair] for pair in wrong[:20]],
    }


def _is_right(one: int, other: int, boxes: NDArray[np.int64], slides: NDArray[np.str_]) -> bool:
    if one == other:
        return True
    (x, y, width, height), (left, top, wide, high) = boxes[one].tolist(), boxes[other].tolist()
    across = max(0, min(x + width, left + wide) - max(x, left))
    down = max(0, min(y + height, top + high) - max(y, top))
    return bool(slides[one] == slides[other]) and across * down > 0.5 * min(width * height, wide * high)


def measure_search(*, rows: int = 100_000, dimensions: int = 100) -> dict[str, Any]:
    """Seconds and memory of the neighbours of every row of a memory-mapped float16 matrix, block by block."""
    import resource

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npy"
        mapped = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=(rows, dimensions))
        generator = np.random.default_rng(0)
        for start in range(0, rows, 10_000):
            mapped[start : start + 10_000] = generator.normal(size=(min(10_000, rows - start), dimensions))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.perf_counter()
        propose(FeatureRows([np.load(path, mmap_mode="r")]), least=0.9, seed=0)
        seconds = time.perf_counter() - started
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"rows": rows, "dimensions": dimensions, "seconds": round(seconds, 1), "grown_mib": grown // 1024}


def measure_reviewing() -> dict[str, Any]:
    """All of it."""
    return {
        "label_errors": measure_label_errors(),
        "near_duplicates": measure_near_duplicates(),
        "search": measure_search(),
    }
