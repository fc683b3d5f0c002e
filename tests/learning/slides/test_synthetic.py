"""Synthetic smears: what OpenSlide makes of them, that a seed repeats, and that the truth is what was planted."""

import csv
import hashlib
import tomllib
from collections import Counter
from pathlib import Path

import numpy as np
import openslide
import pytest

from learning.slides.reader import open_slide
from learning.slides.synthetic.__main__ import main
from learning.slides.synthetic.catalogue import CELL_CLASSES, CLASSES
from learning.slides.synthetic.labs import LABS, develop
from learning.slides.synthetic.recipes import BORDERLINE_PAIRS, RECIPES, blend
from learning.slides.synthetic.smear import UM_PER_PX, PlantedCell, plan_smear
from learning.slides.synthetic.study import Job, plan_slide, write_study
from learning.slides.tiles import read_patch


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_openslide_opens_a_pyramid_with_its_pixel_size(small_study: Path) -> None:
    for row in _rows(small_study / "slides.csv"):
        with openslide.OpenSlide(str(small_study / row["path"])) as raw:
            assert raw.properties["openslide.vendor"] == "generic-tiff"
            assert raw.level_count >= 2
            assert float(raw.properties["openslide.mpp-x"]) == pytest.approx(UM_PER_PX)
            assert not raw.associated_images
        with open_slide(small_study / row["path"]) as slide:
            assert slide.pixel_size == pytest.approx((UM_PER_PX, UM_PER_PX))
            half = slide.level_dimensions[1]
            small = slide.read(0, 0, *slide.dimensions, out_width=half[0], out_height=half[1])
            assert small.std() > 10


def test_a_seed_repeats_to_the_byte_with_any_number_of_processes(tmp_path: Path, small_study: Path) -> None:
    again = write_study(tmp_path / "again", seed=5, cases=3, cells_per_slide=9, processes=2)
    other = write_study(tmp_path / "other", seed=6, cases=3, cells_per_slide=9, processes=1)
    assert _digests(again) == _digests(small_study)
    assert _digests(other)["slides/smear-001.tif"] != _digests(again)["slides/smear-001.tif"]


def test_study_folder_has_the_agreed_files_and_columns(small_study: Path) -> None:
    study = tomllib.loads((small_study / "study.toml").read_text(encoding="utf-8"))
    assert (study["task"], study["domains"]) == ("classify", ["lab"])
    assert study["region"] == {"width": 96, "height": 96, "um_per_px": UM_PER_PX}
    assert [item["code"] for item in study["classes"]] == [item.code for item in CLASSES]
    assert {item["code"] for item in study["classes"] if item.get("special")} == {"ambiguous", "not-evaluable"}
    for unique in ("code", "name", "colour", "key"):
        assert len({item[unique] for item in study["classes"]}) == len(CLASSES)
    assert all(item["definition"].endswith(".") for item in study["classes"])
    slides, regions = _rows(small_study / "slides.csv"), _rows(small_study / "regions.csv")
    assert [row["lab"] for row in slides] == [lab.name for lab in LABS]
    assert len({row["case"] for row in slides}) == 3
    assert list(regions[0]) == ["id", "slide", "x", "y", "width", "height"] and len(regions) == 27
    sizes = {}
    for row in slides:
        with open_slide(small_study / row["path"]) as slide:
            sizes[row["path"]] = slide.dimensions
    for row in regions:
        width, height = sizes[row["slide"]]
        assert 0 <= int(row["x"]) <= width - 96 and 0 <= int(row["y"]) <= height - 96


def test_truth_is_what_was_planted(small_study: Path) -> None:
    truth, regions = _rows(small_study / "truth.csv"), _rows(small_study / "regions.csv")
    planted: list[PlantedCell] = []
    for case in range(3):
        job = Job(path=Path("x"), case=case, lab=case, seed=(5, case, 0), cells=9, edge=96)
        planted += plan_slide(job).cells
    assert [row["label"] for row in truth] == [cell.code for cell in planted]
    assert [row["borderline"] or None for row in truth] == [cell.borderline for cell in planted]
    for row, cell in zip(regions, planted, strict=True):
        assert abs(int(row["x"]) + 48 - cell.x) <= 5 and abs(int(row["y"]) + 48 - cell.y) <= 5


def test_a_nucleus_is_seen_where_a_white_cell_was_planted(small_study: Path) -> None:
    truth = {row["region"]: row["label"] for row in _rows(small_study / "truth.csv")}
    dark: dict[bool, list[float]] = {True: [], False: []}
    for row in _rows(small_study / "regions.csv"):
        label = truth[row["id"]]
        if label in ("platelets", "smudge"):
            continue
        with open_slide(small_study / row["slide"]) as slide:
            patch = read_patch(slide, x=int(row["x"]), y=int(row["y"]), width=96, height=96, edge=96)
        # Chromatin absorbs red light; haemoglobin hardly does.
        red = patch[24:72, 24:72, 0].astype(float)
        dark[label != "red-cell"].append(float((red < 0.75 * np.percentile(patch[..., 0], 95)).mean()))
    assert min(dark[True]) > 0.08
    assert max(dark[False], default=0.0) < min(dark[True])


def test_labs_differ_on_the_same_cells() -> None:
    stains = np.zeros((6, 64, 64), dtype=np.float32)
    stains[1, 20:44, 20:44] = 1
    scans = [
        develop(stains, lab=lab, um_per_px=UM_PER_PX, focus=1.0, rng=np.random.default_rng(1)).astype(float)
        for lab in LABS
    ]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(scans[first].mean(axis=(0, 1)) - scans[second].mean(axis=(0, 1))).max() > 8
    noise = [scan[:12, :12, 1].std() for scan in scans]
    assert noise[0] < noise[1] < noise[2]
    sharpness = [np.abs(np.diff(scan[32, :, 1])).max() / np.ptp(scan[32, :, 1]) for scan in scans]
    assert sharpness[0] > sharpness[2]


def test_kinds_are_unequal_and_some_cells_are_borderline() -> None:
    shares = np.array([item.share for item in CELL_CLASSES])
    plan = plan_smear(count=3000, region_edge=96, shares=shares, rng=np.random.default_rng(0))
    counts = Counter(cell.code for cell in plan.cells)
    assert set(counts) == {item.code for item in CELL_CLASSES}
    assert counts["neutrophil"] > 5 * counts["basophil"] > 0
    borderline = [cell for cell in plan.cells if cell.borderline]
    assert 0.05 < len(borderline) / 3000 < 0.15
    pairs = {frozenset(pair) for pair in BORDERLINE_PAIRS}
    assert all(frozenset((cell.code, cell.borderline)) in pairs for cell in borderline)
    assert all(0.3 < cell.weight <= 0.5 for cell in borderline)
    places = np.array([(cell.x, cell.y) for cell in plan.cells])
    assert len(np.unique(places, axis=0)) == 3000


def test_a_blend_lies_between_its_kinds() -> None:
    middle = blend(RECIPES["neutrophil"], RECIPES["band"], weight=0.5)
    assert RECIPES["band"].waist < middle.waist < RECIPES["neutrophil"].waist
    assert blend(RECIPES["band"], RECIPES["monocyte"], weight=0.0) == RECIPES["band"]


def test_command_line_says_what_it_wrote_and_refuses_a_full_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(tmp_path / "out"), "--cases", "1", "--cells-per-slide", "4", "--processes", "1"]
    assert main(arguments) == 0
    assert "1 slides, 4 regions" in capsys.readouterr().out
    assert main(arguments) == 2
    assert "is not empty" in capsys.readouterr().err
    assert main([str(tmp_path / "none"), "--cases", "0"]) == 2
    assert "must be 1 or more" in capsys.readouterr().err


@pytest.mark.slow
def test_model_of_all_labels_stays_between_080_and_092(tmp_path: Path) -> None:
    """Colour-texture, class-weighted logistic regression, five folds by case."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from learning.features.catalogue import get_encoder

    folder = write_study(tmp_path / "study")
    encoder = get_encoder("colour-texture")
    cases = {row["path"]: row["case"] for row in _rows(folder / "slides.csv")}
    pixels, groups = [], []
    for row in _rows(folder / "regions.csv"):
        with open_slide(folder / row["slide"]) as slide:
            corner = {"x": int(row["x"]), "y": int(row["y"])}
            pixels.append(read_patch(slide, **corner, width=96, height=96, edge=encoder.input_edge))
        groups.append(cases[row["slide"]])
    labels = np.array([row["label"] for row in _rows(folder / "truth.csv")])
    features = encoder.encode(np.stack(pixels)).astype(np.float32)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, class_weight="balanced", max_iter=500))
    said = cross_val_predict(model, features, labels, groups=groups, cv=GroupKFold(5))
    assert 0.80 <= f1_score(labels, said, average="macro") <= 0.92
