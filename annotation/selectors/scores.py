"""How unsure the model is of each region of a slide, from the file that the ranking left behind.

Decides what a screen needs of it; refuses to know how scores come about. The columns are those of
`learning.query.scores`, which is beyond what this package imports; a test holds the two together.
"""

import math
import zipfile
from dataclasses import dataclass

import numpy as np

from annotation import store
from annotation.models import ScoreFile


class Unreadable(Exception):
    """The scores are lost or do not fit the slide; the text says what to do."""


@dataclass(frozen=True, slots=True)
class SlideScores:
    """By region index, two hexadecimal digits each: entropy in percent of that of an even guess; the best class."""

    percent: str
    best: str


def read(file: ScoreFile, *, classes: int, rows: int) -> SlideScores:
    """The scores of a slide of `rows` regions under a model of so many classes."""
    again = "They are computed again with the next model."
    try:
        path = store.root() / file.stored_name
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            entropy, best = stored["entropy"].astype(np.float64), stored["top1"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise Unreadable(f"The scores of this slide are lost or damaged. {again}") from error
    if len(entropy) != rows or len(best) != rows:
        raise Unreadable(f"The scores of this slide belong to other regions than it has now. {again}")
    percent = np.clip(np.rint(100 * entropy / math.log(max(2, classes))), 0, 100).astype(np.uint8)
    return SlideScores(percent=percent.tobytes().hex(), best=best.astype(np.uint8).tobytes().hex())
