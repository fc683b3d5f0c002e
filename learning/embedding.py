"""From the regions of an open slide to features: read ahead and encoded side by side.

Decides how pixels reach the encoder, on how many threads; refuses to know where features are kept.
"""

import os
from collections.abc import Callable
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from learning import pipeline
from learning.features import Encoder, threads
from learning.slides.contract import SlideReader
from learning.slides.tiles import read_patch

BLOCK = 64


def encode(
    reader: SlideReader, rectangles: NDArray[np.int32], encoder: Encoder, report: Callable[[int, int], None]
) -> NDArray[np.float16]:
    """Features (N, D) of rectangles (N, 4) in level-0 pixels, read and encoded in blocks, on all cores.

    Blocks are read ahead of those that are encoded. `report` hears of each block, and may raise to stop.
    """
    # Before the threads: an exported network is opened once.
    features = np.empty((len(rectangles), encoder.dimensions), dtype=np.float16)
    edge = encoder.input_edge

    def read(start: int) -> NDArray[np.uint8]:
        block = rectangles[start : start + BLOCK].tolist()
        pixels = [read_patch(reader, x=x, y=y, width=width, height=height, edge=edge) for x, y, width, height in block]
        return np.stack(pixels)

    done = 0
    starts = range(0, len(rectangles), BLOCK)
    with (
        threads.one_each() as begin,
        closing(
            pipeline.run(starts, first=read, second=encoder.encode, threads=os.cpu_count() or 1, begin=begin)
        ) as blocks,
    ):
        for rows in blocks:
            features[done : done + len(rows)] = rows
            done += len(rows)
            report(done, len(rectangles))
    return features
