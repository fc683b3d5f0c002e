"""Converters of public sample data into study folders: a region for each labelled cell, truth beside it.

Decides boxes, classes and what to do with the quirks of each source; refuses to know the database. Each converter
takes the folder of its source, so other parts of the same data work: python -m tests.studies chula FOLDER OUT.
The slides of `htt` are not public: small stand-ins show where its regions lie, and its votes are real.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import math
import os
import shutil
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from learning.slides.reader import SlideError, open_slide
from learning.slides.synthetic.protocol import StudyClass, describe_study
from tests.reader_votes import EDGE, SHRINK, draw_stand_in, read_calls
from tests.study_classes import BCCD, CHULA, HTT, OUTCOMES, TISSUE

CHULA_EDGE = 72
BCCD_EDGE = 112
# A box drawn tightly around a cell gets this much more on all sides together, for its surroundings.
BCCD_MARGIN = 1.15
TILE_EDGE, TILE_UM_PER_PX = 256, 0.5

POLICY: dict[str, float | int] = {
    "min_overlap": 2,
    "max_overlap": 4,
    "target_confidence": 0.9,
    "batch_size": 80,
    "retrain_every_revisions": 120,
    "audit_rate": 0.2,
    "random_share": 0.15,
}

# Between two people who agree and seven; a target at which two who agree are enough only where both are reliable.
REPLAY_POLICY: dict[str, float | int] = {
    "min_overlap": 2,
    "max_overlap": 7,
    "target_confidence": 0.97,
    "audit_rate": 0.2,
}

Box = tuple[int, int, int, int]


class SourceError(Exception):
    """The source folder is not what the converter expects; a sentence for the person who named it."""


@dataclass
class Study:
    """A study in the making: slides (path in the folder, case, lab), boxes with their truth, and what was odd.

    A box whose truth nobody knows has an empty label; `votes` are (path, box, reader, code).
    """

    out: Path
    slides: list[tuple[str, str, str]] = field(default_factory=list)
    regions: list[tuple[str, Box, str]] = field(default_factory=list)
    votes: list[tuple[str, Box, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _paths: dict[str, str] = field(default_factory=dict)

    def add_slide(self, image: Path, *, case: str, lab: str) -> tuple[str, tuple[int, int]]:
        """Take an image in and return its path in the folder and its size; the same bytes come in only once."""
        with image.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        dimensions = _measure(image)
        if digest not in self._paths:
            self._paths[digest] = _take_image(image, self.out)
            self.slides.append((self._paths[digest], case, lab))
        return self._paths[digest], dimensions

    def add_regions(self, image: Path, path: str, found: list[tuple[Box, str]]) -> None:
        """Add the boxes of one label file. Where the image came before, cells labelled there are left out."""
        before = [box for other, box, _ in self.regions if other == path]
        fresh = [(path, box, label) for box, label in found if not any(_is_same_cell(box, old) for old in before)]
        self.regions += fresh
        if Path(path).name != image.name:
            self.notes.append(
                f"{image.name} is the same image as {Path(path).name}: {len(fresh)} of its {len(found)} cells "
                "are added there, the others are labelled already."
            )

    def counts(self) -> Counter[str]:
        """Return the number of regions by class code."""
        return Counter(label for _, _, label in self.regions if label) or Counter(code for *_, code in self.votes)


def convert_chula(source: Path, out: Path) -> Study:
    """Chula RBC-12: images/N.jpg and labels/N.txt with `x y type` a line; a square around each point."""
    study = Study(out)
    for image in _images(source / "images"):
        path, dimensions = study.add_slide(image, case=f"field-{image.stem}", lab="chula")
        labels = source / "labels" / f"{image.stem}.txt"
        points = _read_points(labels)
        if not points:
            study.notes.append(f"{labels.name} labels no cell; its image is kept as a slide without regions.")
        found = [(square_box(x, y, edge=CHULA_EDGE, dimensions=dimensions), CHULA[kind].code) for x, y, kind in points]
        study.add_regions(image, path, found)
    _write_study(study, out, name="Chula RBC-12 red cells", edge=CHULA_EDGE, classes=CHULA)
    return study


def convert_bccd(source: Path, out: Path) -> Study:
    """BCCD: JPEGImages/*.jpg and Annotations/*.xml (Pascal VOC); each box made square, with some margin.

    Three classes as boxed. The subtype list names the white cells of a field, not of a box, so it is left aside.
    """
    codes = {"RBC": "red-cell", "WBC": "white-cell", "Platelets": "platelet"}
    study = Study(out)
    for image in _images(source / "JPEGImages"):
        case = f"field-{image.stem.rsplit('_', 1)[-1]}"
        path, dimensions = study.add_slide(image, case=case, lab="bccd")
        found = []
        for name, (left, top, right, bottom) in _read_boxes(source / "Annotations" / f"{image.stem}.xml"):
            if right <= left or bottom <= top:
                study.notes.append(f"{image.stem}.xml: a {name} box at {left}, {top} has no area and is skipped.")
                continue
            if name not in codes:
                raise SourceError(f"{image.stem}.xml names a class {name!r}; known are {', '.join(codes)}.")
            edge = round(max(right - left, bottom - top) * BCCD_MARGIN)
            box = square_box((left + right) // 2, (top + bottom) // 2, edge=edge, dimensions=dimensions)
            found.append((box, codes[name]))
        study.add_regions(image, path, found)
    _write_study(study, out, name="BCCD blood cells", edge=BCCD_EDGE, classes=BCCD)
    return study


def convert_htt(source: Path, out: Path) -> Study:
    """FDA HTT pilot: pilotHTT.csv; a region for each caseID, a vote for each reader's first call of it, no truth."""
    try:
        calls = read_calls(source / "pilotHTT.csv")
    except (OSError, ValueError) as error:
        raise SourceError(f"pilotHTT.csv can't be used: {error}") from error
    codes = {item.name: item.code for item in HTT}
    if unknown := sorted({call.label for call in calls} - set(codes)):
        raise SourceError(f"pilotHTT.csv names classes that are not known: {', '.join(unknown)}.")
    study = Study(out)
    boxes = {(call.slide, call.box): call.region for call in calls}
    for number, slide in enumerate(sorted({call.slide for call in calls}), start=1):
        image = out / "slides" / f"{number:03d}.png"
        draw_stand_in(image, name=slide, boxes=[box for name, box in boxes if name == slide])
        path, _ = study.add_slide(image, case=Path(slide).stem, lab="htt")
        study.regions += [(path, box, "") for name, box in sorted(boxes) if name == slide]
        study.votes += [(path, call.box, call.reader, codes[call.label]) for call in calls if call.slide == slide]
    study.notes.append(f"The slides are not public: stand-ins at 1 in {SHRINK} show where the regions lie.")
    _write_study(study, out, name="HTT pilot of readers", edge=EDGE, classes=HTT, policy=REPLAY_POLICY)
    return study


def convert_slides(source: Path, out: Path) -> Study:
    """Any folder of slides: one case each, no regions, so that import finds tissue and tiles it."""
    study = Study(out)
    files = sorted(file for file in source.iterdir() if file.is_file())
    for file in files:
        try:
            study.add_slide(file, case=f"case-{len(study.slides) + 1}", lab="unknown")
        except SourceError:
            study.notes.append(f"{file.name} is no slide and is left out.")
    if not study.slides:
        raise SourceError(f"{source} holds no file that OpenSlide or Pillow opens.")
    region = (TILE_EDGE, TILE_UM_PER_PX)
    _write_study(study, out, name="Tissue of real slides", edge=region[0], um_per_px=region[1], classes=TISSUE)
    return study


def square_box(x: int, y: int, *, edge: int, dimensions: tuple[int, int]) -> Box:
    """Return x, y, width, height of the square around a point, cut off where the image ends."""
    left, top = max(0, x - edge // 2), max(0, y - edge // 2)
    right, bottom = min(dimensions[0], x - edge // 2 + edge), min(dimensions[1], y - edge // 2 + edge)
    return left, top, right - left, bottom - top


def _images(folder: Path) -> list[Path]:
    files = sorted(folder.glob("*.jpg"), key=lambda file: (len(file.stem), file.stem))
    if not files:
        raise SourceError(f"{folder} holds no .jpg images. Name the folder that has the source's README.")
    return files


def _read_points(path: Path) -> list[tuple[int, int, int]]:
    """Return (x, y, type) a line; SourceError names file and line where one is not three whole numbers."""
    if not path.is_file():
        raise SourceError(f"{path} is missing: every image needs its label file.")
    points = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            x, y, kind = (int(part) for part in line.split())
        except ValueError:
            raise SourceError(f"{path}, line {number}: {line!r} is not three whole numbers.") from None
        if not 0 <= kind < len(CHULA):
            raise SourceError(f"{path}, line {number}: there is no type {kind}.")
        points.append((x, y, kind))
    return points


def _read_boxes(path: Path) -> list[tuple[str, Box]]:
    """Return (name, (xmin, ymin, xmax, ymax)) of each object of a Pascal VOC file."""
    try:
        root = ElementTree.parse(path).getroot()
        return [(item.findtext("name", ""), _corners(item)) for item in root.iter("object")]
    except (OSError, ElementTree.ParseError, ValueError) as error:
        raise SourceError(f"{path} can't be read as Pascal VOC ({error}).") from error


def _corners(item: ElementTree.Element) -> Box:
    left, top, right, bottom = (int(item.findtext(f"bndbox/{key}", "")) for key in ("xmin", "ymin", "xmax", "ymax"))
    return left, top, right, bottom


def _is_same_cell(box: Box, other: Box) -> bool:
    """Whether two boxes' middles are closer than a quarter of the smaller one: one cell, clicked twice."""
    away = math.hypot(box[0] + box[2] / 2 - other[0] - other[2] / 2, box[1] + box[3] / 2 - other[1] - other[3] / 2)
    return away < min(*box[2:], *other[2:]) / 4


def _measure(image: Path) -> tuple[int, int]:
    try:
        with open_slide(image) as slide:
            return slide.dimensions
    except SlideError as error:
        raise SourceError(str(error)) from error


def _take_image(image: Path, out: Path) -> str:
    """Link (or copy) an image into the study folder and return its path there."""
    target = out / "slides" / image.name
    target.parent.mkdir(parents=True, exist_ok=True)
    if image == target:
        return f"slides/{image.name}"
    try:
        os.link(image, target)
    except OSError:
        shutil.copyfile(image, target)
    return f"slides/{image.name}"


def _write_study(
    study: Study,
    out: Path,
    *,
    name: str,
    edge: int,
    classes: Sequence[StudyClass],
    um_per_px: float | None = None,
    policy: dict[str, float | int] = POLICY,
) -> None:
    # Who voted elsewhere had no special outcomes to choose.
    outcomes = () if study.votes else OUTCOMES
    text = describe_study(name=name, region=(edge, um_per_px), classes=[*classes, *outcomes], policy=policy)
    (out / "study.toml").write_text(text, encoding="utf-8")
    _write_csv(out / "slides.csv", ("path", "case", "lab"), study.slides)
    if not study.regions:
        return
    study.regions = _drop_twins(study)
    named = [(f"r{number:05d}", *item) for number, item in enumerate(study.regions, start=1)]
    header = ("id", "slide", "x", "y", "width", "height")
    _write_csv(out / "regions.csv", header, [(key, path, *box) for key, path, box, _ in named])
    known = [(key, label) for key, _, _, label in named if label]
    if known:
        _write_csv(out / "truth.csv", ("region", "label"), known)
    if study.votes:
        keys = {(path, box): key for key, path, box, _ in named}
        voted = [(keys[path, box], reader, code) for path, box, reader, code in study.votes]
        _write_csv(out / "votes.csv", ("region", "annotator", "label"), sorted(voted))


def _drop_twins(study: Study) -> list[tuple[str, Box, str]]:
    """A rectangle of a slide is one region; a second label for the same one is said and left out."""
    kept: dict[tuple[str, Box], str] = {}
    for path, box, label in study.regions:
        if (path, box) in kept:
            study.notes.append(f"{path}: two labels for the box at {box[0]}, {box[1]}; the first is kept.")
        kept.setdefault((path, box), label)
    return [(path, box, label) for (path, box), label in kept.items()]


def _write_csv(path: Path, header: tuple[str, ...], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(header)
        table.writerows(rows)


CONVERTERS: dict[str, Callable[[Path, Path], Study]] = {
    "chula": convert_chula,
    "bccd": convert_bccd,
    "htt": convert_htt,
    "slides": convert_slides,
}


def main(arguments: list[str] | None = None) -> int:
    """Convert and say what came out; 2 where the source or the target is refused."""
    parser = argparse.ArgumentParser(prog="python -m tests.studies", description=__doc__.split("\n")[0])
    parser.add_argument("source", choices=sorted(CONVERTERS), help="which kind of data the folder holds")
    parser.add_argument("folder", type=Path, help="the folder of the source, as its README describes it")
    parser.add_argument("out", type=Path, help="the study folder to write; new or empty")
    options = parser.parse_args(arguments)
    try:
        if options.out.exists() and any(options.out.iterdir()):
            raise SourceError(f"{options.out} is not empty. Name a new folder, or empty this one.")
        if not options.folder.is_dir():
            raise SourceError(f"{options.folder} is not a folder.")
        study = CONVERTERS[options.source](options.folder, options.out)
    except SourceError as error:
        print(f"Not converted: {error}", file=sys.stderr)
        return 2
    for note in study.notes:
        print(f"Note: {note}")
    print(f"{options.out}: {len(study.slides)} slides, {len(study.regions)} regions.")
    for code, count in sorted(study.counts().items()):
        print(f"  {code}: {count}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
