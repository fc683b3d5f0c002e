"""The formats of a release, as the programs they are for read them; and what `verify` says of forged ones."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO
from skimage.measure import points_in_poly

from annotation.releasing import changelog, files, folder, pictures
from annotation.releasing.content import ReleasedRegion
from annotation.releasing.formats import citation, coco, croissant, geojson
from annotation.releasing.verify import verify
from learning.slides.reader import open_slide
from tests.annotation.releasing.contents import content
from tests.annotation.releasing.test_verify import forge, reseal, rows_of
from tests.conftest import REPOSITORY

NEW = (coco.NAME, croissant.NAME, citation.NAME, changelog.NAME, files.README)
PAINT = (200, 30, 90)


@pytest.fixture
def written(tmp_path):
    return folder.write(content(regions=7), parent=tmp_path)[0]


def test_coco_loads_in_its_own_reader_with_the_counts_of_the_table(written, capsys):
    read = COCO(str(written / coco.NAME))
    capsys.readouterr()  # it prints how long it took
    rows = {row["region"]: row for row in rows_of(written / files.LABELS)}
    counted = {one["name"]: len(read.getAnnIds(catIds=[one["id"]])) for one in read.loadCats(read.getCatIds())}
    assert counted == Counter(row["label"] for row in rows.values())
    assert coco.count_by_category(read.dataset) == counted
    for box in read.loadAnns(read.getAnnIds()):
        row = rows[box["region"]]
        (slide,) = read.loadImgs([box["image_id"]])
        assert (slide["file_name"], slide["sha256"]) == (row["slide"], row["slide_sha256"])
        assert box["bbox"] == [int(row[key]) for key in ("x", "y", "width", "height")]
        assert box["score"] == pytest.approx(float(row["confidence"]))
        assert box["area"] == box["bbox"][2] * box["bbox"][3]


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")  # by the reader's own library
def test_croissant_validates_and_gives_the_rows_with_their_types(written):
    import mlcroissant  # slow to load

    read = mlcroissant.Dataset(jsonld=written / croissant.NAME)
    assert not read.metadata.ctx.issues.errors and not read.metadata.ctx.issues.warnings
    for name in (files.LABELS, files.ANSWERS, files.CLASSES):
        records = name.removesuffix(".csv")
        found = list(read.records(records))
        expected = rows_of(written / name)
        assert len(found) == len(expected)
        first = {key.removeprefix(f"{records}/"): value for key, value in found[0].items()}
        assert first.keys() == expected[0].keys()
        for key, value in first.items():
            text = expected[0][key]
            if isinstance(value, bool | np.bool_):
                assert value == (text == "1")
            elif isinstance(value, int | float):
                assert value == pytest.approx(float(text))
    kinds = {"labels/x": int, "labels/confidence": float, "labels/label": bytes, "labels/n_answers": int}
    row = next(iter(read.records("labels")))
    assert {key: type(row[key]) for key in kinds} == kinds


def test_geojson_has_the_fields_that_qupath_writes(written, shared):
    theirs = json.loads((shared / "data" / "annotation_files" / "qupath05.geojson").read_text())
    for path in sorted((written / geojson.FOLDER).iterdir()):
        ours = json.loads(path.read_text())
        assert ours.keys() == theirs.keys() and ours["type"] == theirs["type"]
        for feature in ours["features"]:
            like = theirs["features"][0]
            assert feature.keys() == like.keys() and feature["type"] == like["type"]
            assert feature["geometry"].keys() == like["geometry"].keys()
            assert feature["geometry"]["type"] == like["geometry"]["type"]
            assert feature["properties"]["objectType"] == like["properties"]["objectType"]
            assert len(feature["id"]) == len(like["id"]) and feature["id"].count("-") == 4
            (ring,) = feature["geometry"]["coordinates"]
            assert ring[0] == ring[-1] and all(isinstance(number, int) for point in ring for number in point)
            assert feature["properties"]["classification"] == {
                "name": feature["properties"]["classification"]["name"],
                "color": [217, 95, 2],
            }


def placed() -> ReleasedRegion:
    slide = replace(content().slides[0], width=70, height=50)
    return replace(content().regions[0], slide=slide, x=13, y=7, width=21, height=17)


def paint(path, region: ReleasedRegion) -> np.ndarray:
    """A slide on which exactly the region's pixels have their own colour."""
    pixels = np.full((region.slide.height, region.slide.width, 3), 245, dtype=np.uint8)
    pixels[region.y : region.y + region.height, region.x : region.x + region.width] = PAINT
    Image.fromarray(pixels).save(path)
    return pixels


def test_polygons_and_pictures_lie_where_the_region_is_on_the_slide(tmp_path):
    region = placed()
    pixels = paint(tmp_path / "slide.png", region)
    slides = (region.slide, *content().slides[1:])
    ((name, text),) = geojson.render(replace(content(), slides=slides, regions=(region,)))
    assert name == geojson.name_of(region.slide.slide)
    (feature,) = json.loads(text)["features"]
    height, width = pixels.shape[:2]
    centres = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), axis=-1).reshape(-1, 2)
    drawn = points_in_poly(centres, feature["geometry"]["coordinates"][0]).reshape(height, width)
    assert np.array_equal(drawn, (pixels == PAINT).all(axis=2))
    (part,) = pictures.render([region], opens=lambda _: open_slide(tmp_path / "slide.png"))
    (tmp_path / "crop.png").write_bytes(b"".join(part.blocks))
    crop = np.asarray(Image.open(tmp_path / "crop.png"))
    assert crop.shape == (region.height, region.width, 3) and (crop == PAINT).all()
    assert part.name == f"crops/train/{region.label}/{region.region}.png"


@pytest.mark.parametrize("name", [*NEW, "geojson/s0.geojson"])
def test_each_file_is_missed_and_its_alteration_named(written, name):
    text = (written / name).read_bytes()
    (written / name).write_bytes(text + b" ")
    assert f"{name} was altered: its SHA-256 is not the one in CHECKSUMS." in verify(written).problems
    (written / name).unlink()
    assert f"{name} is missing." in verify(written).problems


def forge_json(written, name: str, change) -> list[str]:
    """Alter a JSON file and every digest of it; what is found."""
    values = json.loads((written / name).read_text())
    change(values)
    forge(written / name, json.dumps(values))
    return verify(written).problems


def test_forged_boxes_are_held_against_the_table(written):
    def change(values):
        values["annotations"][0]["category_id"] = values["annotations"][0]["category_id"] % 3 + 1

    (problem,) = forge_json(written, coco.NAME, change)
    assert problem.startswith("coco.json: region r") and "but labels.csv says" in problem


def test_forged_polygons_are_held_against_the_table(written):
    name = geojson.name_of("s1")

    def change(values):
        values["features"][0]["geometry"]["coordinates"][0] = [[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]]

    (problem,) = forge_json(written, name, change)
    assert problem.startswith("geojson: region r") and "but labels.csv says" in problem


def test_a_region_that_a_format_lacks_or_holds_twice_is_named(written):
    problems = forge_json(written, coco.NAME, lambda values: values["annotations"].pop())
    assert any("is missing" in one for one in problems) and any("holds 6 boxes" in one for one in problems)
    name = geojson.name_of("s0")
    problems = forge_json(written, name, lambda values: values["features"].append(values["features"][0]))
    assert "geojson holds 8 polygons, but there are 7 labels." in problems


def test_forged_digests_for_machines_are_named(written):
    def change(values):
        values["distribution"][0]["sha256"] = "0" * 64

    (problem,) = forge_json(written, croissant.NAME, change)
    assert problem.startswith("croissant.json gives another digest of")


def with_pictures(tmp_path):
    slide_file = tmp_path / "slide.png"
    paint(slide_file, placed())
    made = content()
    crops = pictures.render(
        sorted(made.regions, key=lambda one: one.slide.slide), opens=lambda _: open_slide(slide_file)
    )
    return folder.write(made, parent=tmp_path / "made", extras=crops)[0]


def test_pictures_lie_by_split_and_class_and_a_moved_one_is_named(tmp_path):
    written = with_pictures(tmp_path)
    assert verify(written).problems == []
    rows = rows_of(written / files.LABELS)
    assert sorted(path.relative_to(written).as_posix() for path in written.glob("crops/*/*/*")) == sorted(
        pictures.name_of(row["split"], row["label"], row["region"]) for row in rows
    )
    manifest = json.loads((written / files.MANIFEST).read_text())
    old, new = "crops/train/neutrophil/r0.png", "crops/train/monocyte/r0.png"
    (written / new).parent.mkdir()
    (written / old).rename(written / new)
    manifest["files"][new] = manifest["files"].pop(old)
    reseal(written, manifest)
    assert any("pictures that are not those of the 6 labels" in one for one in verify(written).problems)


PROGRAM = """
import sys
from pathlib import Path
from annotation.releasing import folder, pictures
from learning.slides.reader import open_slide
from tests.annotation.releasing.contents import content
slide, parent = map(Path, sys.argv[1:])
regions = sorted(content().regions, key=lambda one: one.slide.slide)
crops = pictures.render(regions, opens=lambda _: open_slide(slide))
print(folder.write(content(), parent=parent, extras=crops)[0])
"""


@pytest.mark.parametrize(("seed", "zone"), [("1", "Asia/Tokyo"), ("2", "America/Lima")])
def test_another_process_writes_the_same_bytes(tmp_path, seed, zone):
    written = with_pictures(tmp_path)
    env = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone}
    asked = [sys.executable, "-c", PROGRAM, tmp_path / "slide.png", tmp_path / "again"]
    again = Path(
        subprocess.run(asked, env=env, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout.strip()
    )
    ours, theirs = files.listed(written), files.listed(again)
    assert ours.keys() == theirs.keys() and len(ours) == 21
    assert all(path.read_bytes() == theirs[name].read_bytes() for name, path in ours.items())


def test_a_release_of_the_first_layout_still_holds(written):
    manifest = json.loads((written / files.MANIFEST).read_text())
    for name in (*NEW, *(f"geojson/s{number}.geojson" for number in range(3))):
        (written / name).unlink()
        del manifest["files"][name]
    (written / geojson.FOLDER).rmdir()
    reseal(written, {**manifest, "version": 1})
    assert verify(written).problems == []
    reseal(written, manifest)
    assert "manifest.json says nothing about coco.json." in verify(written).problems


def test_the_table_of_changes_and_the_citation_say_what_is_known(tmp_path):
    said = {"licence": "CC-BY-4.0", "creators": "The lab: of blood; B. Other", "address": "https://example.org/blood"}
    made = content()
    made = replace(made, facts={**made.facts, "publication": said})
    written, _ = folder.write(made, parent=tmp_path)
    text = (written / citation.NAME).read_text()
    assert "license: CC-BY-4.0" in text and '  - name: "The lab: of blood"\n  - name: "B. Other"' in text
    described = json.loads((written / croissant.NAME).read_text())
    assert (described["license"], described["url"]) == (said["licence"], said["address"])
    assert verify(written).problems == []
