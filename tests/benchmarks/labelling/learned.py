"""Red cells (Chula) as networks of `study-cnn` see them that were trained on other fields of the same sample.

Fields are dealt into five parts. Each network learns from one part and looks at the other four, which are the pool and
the cells to judge by: no label of them has shaped the features. They stand beside the fixed ones, as in a study, and
lie below var/ between runs.
"""

import hashlib
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from learning.features.cnn import training
from tests.benchmarks import cnn

PARTS = cnn.FOLDS
_SHIPPED = training.CnnSettings()
SETTINGS = replace(_SHIPPED, shown=30_000, loop=replace(_SHIPPED.loop, threads=1))  # one network a core
CACHE = Path("var/learned")
SPAWN = multiprocessing.get_context("spawn")  # a fork inherits locks of threads that it has not


def read(part: int) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Features (N, D), labels and fields (N,) of the cells that the network of that part has not learned from."""
    looks, fixed, labels, fields, fold = _load()
    rows = fold != part
    return np.hstack([fixed[rows], looks[part][rows]]).astype(np.float32), labels[rows], fields[rows]


@cache
def _load() -> tuple[NDArray[np.floating], ...]:
    path = CACHE / f"chula-{hashlib.sha256(repr(SETTINGS).encode()).hexdigest()[:16]}.npz"
    if not path.is_file():
        cells = cnn.Cells(SETTINGS)
        with ProcessPoolExecutor(mp_context=SPAWN, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            looks = np.stack(list(pool.map(_learn, range(PARTS))))
        path.parent.mkdir(parents=True, exist_ok=True)
        fields = np.unique(cells.fields, return_inverse=True)[1]
        np.savez(path, looks=looks, fixed=cells.fixed, labels=cells.labels, fields=fields, fold=cells.fold)
    with np.load(path) as kept:
        return tuple(kept[name] for name in ("looks", "fixed", "labels", "fields", "fold"))


def _learn(part: int) -> NDArray[np.float32]:
    cells = cnn.Cells(SETTINGS)
    taught = cells.fold == part
    network = training.train(
        pixels=cells.pixels[taught], labels=cells.labels[taught], classes=cells.classes, settings=SETTINGS
    )
    return cnn.look(network, cells, SETTINGS)
