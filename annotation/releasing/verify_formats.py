"""Holds the formats of a release against its table of labels: the same regions, boxes, classes and counts in each.

Decides what must agree; refuses to look at the ledger, which the table itself is held against (`verify`).
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from annotation.releasing import files, pictures, tables
from annotation.releasing.formats import coco, croissant, geojson

Rows = Mapping[str, Mapping[str, str]]
Box = tuple[int, ...]


def check(path: Path, labels: list[dict[str, str]], manifest: Mapping[str, Any]) -> Iterator[str]:
    """Sentences for what does not agree; KeyError, TypeError or ValueError where a file can't be read to its end."""
    rows = {row["region"]: row for row in labels}
    yield from _check_coco(path / coco.NAME, rows)
    yield from _check_geojson(path, rows, _names(path))
    yield from _check_pictures(manifest["files"], rows)
    yield from _check_croissant(path / croissant.NAME, manifest["files"])


def _names(path: Path) -> dict[str, str]:
    return {row["code"]: row["name"] for row in tables.read(path / files.CLASSES)}


def _check_coco(path: Path, rows: Rows) -> Iterator[str]:
    values = json.loads(path.read_text(encoding="utf-8"))
    slides = {one["id"]: one["file_name"] for one in values["images"]}
    names = {one["id"]: one["name"] for one in values["categories"]}
    said = {
        one["region"]: (slides[one["image_id"]], tuple(one["bbox"]), names[one["category_id"]])
        for one in values["annotations"]
    }
    yield from _compare(path.name, said, {key: (row["slide"], _box(row), row["label"]) for key, row in rows.items()})
    if len(values["annotations"]) != len(rows):
        yield f"{path.name} holds {len(values['annotations'])} boxes, but there are {len(rows)} labels."


def _check_geojson(path: Path, rows: Rows, names: Mapping[str, str]) -> Iterator[str]:
    said: dict[str, Any] = {}
    counted = 0
    for file in sorted((path / geojson.FOLDER).glob("*.geojson")):
        features = json.loads(file.read_text(encoding="utf-8"))["features"]
        counted += len(features)
        for one in features:
            ring = one["geometry"]["coordinates"][0]
            left, top = min(x for x, _ in ring), min(y for _, y in ring)
            box = (left, top, max(x for x, _ in ring) - left, max(y for _, y in ring) - top)
            facts = one["properties"]
            said[facts["name"]] = (file.stem, box, facts["classification"]["name"])
    expected = {key: (row["slide"], _box(row), names[row["label"]]) for key, row in rows.items()}
    yield from _compare(geojson.FOLDER, said, expected)
    if counted != len(rows):
        yield f"{geojson.FOLDER} holds {counted} polygons, but there are {len(rows)} labels."


def _check_pictures(facts: Mapping[str, Any], rows: Rows) -> Iterator[str]:
    held = {name for name in facts if name.startswith(f"{pictures.FOLDER}/")}
    expected = {pictures.name_of(row["split"], row["label"], region) for region, row in rows.items()}
    if held and held != expected:
        yield f"{pictures.FOLDER} holds {len(held)} pictures that are not those of the {len(expected)} labels."


def _check_croissant(path: Path, facts: Mapping[str, Any]) -> Iterator[str]:
    values = json.loads(path.read_text(encoding="utf-8"))
    for one in values["distribution"]:
        if one["sha256"] != facts.get(one["contentUrl"], {}).get("sha256"):
            yield f"{path.name} gives another digest of {one['contentUrl']} than {files.MANIFEST}."


def _compare(name: str, said: Mapping[str, Any], expected: Mapping[str, Any]) -> Iterator[str]:
    for region, what in expected.items():
        if region not in said:
            yield f"{name}: region {region} is missing."
        elif said[region] != what:
            yield f"{name}: region {region} is {said[region]}, but {files.LABELS} says {what}."
    for region in sorted(said.keys() - expected.keys()):
        yield f"{name}: region {region} is not among the labels."


def _box(row: Mapping[str, str]) -> Box:
    return tuple(int(row[key]) for key in ("x", "y", "width", "height"))
