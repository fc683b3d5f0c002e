"""The `colour-texture` encoder on real red cells: how fast, and how well a linear head does on it."""

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from learning import metrics
from learning.features import get_encoder
from learning.models import train_ensemble

EDGE = 80


def find_chula() -> Path | None:
    """The folder of the Chula RBC-12 sample, or None where sample data is absent."""
    folder = Path(os.environ.get("CONCORD_SHARED", "../shared")) / "data" / "blood_chula_rbc12"
    return folder if folder.is_dir() else None


def cut_cells(folder: Path, *, every: int = 1) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Boxes (N, 80, 80, 3) around the labelled points, types (N,), fields (N,) of every n-th field."""
    cells, types, fields = [], [], []
    for number, listing in enumerate(sorted((folder / "labels").glob("*.txt"))[::every]):
        with Image.open(folder / "images" / f"{listing.stem}.jpg") as image:
            field = np.pad(np.asarray(image.convert("RGB")), ((EDGE // 2,) * 2, (EDGE // 2,) * 2, (0, 0)), mode="edge")
        for line in listing.read_text().splitlines():
            x, y, kind = map(int, line.split())
            cells.append(field[y : y + EDGE, x : x + EDGE])
            types.append(kind)
            fields.append(number)
    return np.stack(cells), np.array(types), np.array(fields)


def measure_encoding(*, every: int = 1) -> dict[str, Any]:
    """Regions a second, and accuracy and macro-F1 of the out-of-fold answers, fields held out whole."""
    folder = find_chula()
    if folder is None:
        return {"skipped": "The Chula RBC-12 sample is absent; set CONCORD_SHARED to the folder that has it."}
    cells, types, fields = cut_cells(folder, every=every)
    encoder = get_encoder("colour-texture")
    started = time.process_time()
    features = encoder.encode(cells)
    seconds = time.process_time() - started
    classes = int(types.max()) + 1
    ensemble = train_ensemble(features=features, labels=types, groups=fields, classes=classes, seed=0)
    confusion = metrics.count_confusion(truth=types, predicted=ensemble.oof_proba.argmax(axis=1), classes=classes)
    return {
        "regions": len(cells),
        "regions_per_core_second": round(len(cells) / seconds),
        "accuracy": round(float(metrics.measure_accuracy(confusion)), 3),
        "macro_f1": round(float(metrics.measure_macro_f1(confusion)), 3),
    }
