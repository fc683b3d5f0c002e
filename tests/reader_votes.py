"""The FDA HTT pilot: what 37 readers called 640 regions of 64 slides, and stand-ins for slides that nobody may have.

Decides which of a reader's calls of a region counts and the frame the regions lie in; refuses to know study folders.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

EDGE = 30
"""Pixels of a region in the stand-in; in the slide it has 2,190."""
SHRINK = 2190 // EDGE
MARGIN = 10
_PLACE = re.compile(r".+_x(\d+)\.(\d+)_y(\d+)\.(\d+)")

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Call:
    """What a reader called a region; `box` is its square in the slide's stand-in."""

    slide: str
    region: str
    box: Box
    reader: str
    label: str


def read_calls(path: Path) -> list[Call]:
    """The first call of each reader on each region by time; later ones, on another platform, are left out.

    ValueError names the line where a row does not hold.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(enumerate(csv.DictReader(file), start=2))
    first: dict[tuple[str, str], Call] = {}
    for line, row in sorted(rows, key=lambda numbered: (numbered[1].get("createDate", ""), numbered[0])):
        found = _PLACE.fullmatch(row.get("caseID") or "")
        if found is None or not row.get("readerID") or not row.get("labelROI"):
            raise ValueError(f"line {line}: a row needs readerID, labelROI and a caseID such as NAME_x1.2190_y2.2190.")
        x, y = (int(found[1]) // SHRINK + MARGIN, int(found[3]) // SHRINK + MARGIN)
        call = Call(row["WSI"], row["caseID"], (x, y, EDGE, EDGE), row["readerID"], row["labelROI"])
        first.setdefault((call.reader, call.region), call)
    return list(first.values())


def draw_stand_in(path: Path, *, name: str, boxes: Iterable[Box]) -> None:
    """A small picture with a tinted square for each region, where it lies in the slide; no two slides are alike."""
    squares = sorted(boxes)
    right, down = max(x for x, *_ in squares), max(y for _, y, *_ in squares)
    digest = hashlib.sha256(name.encode()).digest()
    picture = Image.new("RGB", (right + EDGE + MARGIN, down + EDGE + MARGIN), (236, 220, 230))
    canvas = ImageDraw.Draw(picture)
    for place, (x, y, width, height) in enumerate(squares):
        tint = (150 + digest[place % 32] % 60, 90 + digest[(place + 7) % 32] % 60, 160 + digest[(place + 13) % 32] % 60)
        canvas.rectangle((x, y, x + width - 1, y + height - 1), fill=tint)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
