"""Converters of the sample data: counts as in the sources' README files, boxes in place, quirks said."""

import csv
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from annotation.studyfolder import read_folder
from tests import studies
from tests.studies import SourceError, convert_bccd, convert_chula, convert_slides, main, square_box
from tests.study_classes import CHULA

CHULA_COUNTS = {
    "normal": 964,
    "macrocyte": 115,
    "microcyte": 71,
    "spherocyte": 483,
    "target": 465,
    "stomatocyte": 305,
    "ovalocyte": 290,
    "teardrop": 43,
    "burr": 119,
    "schistocyte": 125,
    "uncategorised": 18,
    "hypochromic": 135,
    "elliptocyte": 126,
}


@pytest.fixture(scope="session")
def data(shared: Path) -> Path:
    return shared / "data"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _check_folder(out: Path, *, slides: int, regions: int) -> None:
    """What any study folder must hold: every path there, every region inside its slide, every class known."""
    study = tomllib.loads((out / "study.toml").read_text(encoding="utf-8"))
    codes = {item["code"] for item in study["classes"]}
    for unique in ("code", "name", "colour", "key"):
        assert len({item[unique] for item in study["classes"]}) == len(study["classes"])
    listed, boxes, truth = (_rows(out / name) for name in ("slides.csv", "regions.csv", "truth.csv"))
    assert (len(listed), len(boxes)) == (slides, regions)
    assert len({row["case"] for row in listed}) == slides
    sizes = {}
    for row in listed:
        with Image.open(out / row["path"]) as image:
            sizes[row["path"]] = image.size
    for row in boxes:
        x, y, width, height = (int(row[key]) for key in ("x", "y", "width", "height"))
        assert x >= 0 and y >= 0 and width > 0 and height > 0
        assert x + width <= sizes[row["slide"]][0] and y + height <= sizes[row["slide"]][1]
    assert len({tuple(row.values())[1:] for row in boxes}) == regions
    assert [row["region"] for row in truth] == [row["id"] for row in boxes]
    assert {row["label"] for row in truth} <= codes


def test_chula_gives_a_region_for_each_labelled_cell(data: Path, tmp_path: Path) -> None:
    source = data / "blood_chula_rbc12"
    study = convert_chula(source, tmp_path)
    points = [point for file in (source / "labels").iterdir() for point in studies._read_points(file)]
    assert Counter(CHULA[kind].code for _, _, kind in points) == CHULA_COUNTS
    # Two of the 89 images come twice, labelled on two occasions: 19 of their cells would be two regions.
    assert study.notes == [
        "53.txt labels no cell; its image is kept as a slide without regions.",
        "610.jpg is the same image as 563.jpg: 8 of its 18 cells are added there, the others are labelled already.",
        "617.jpg is the same image as 570.jpg: 2 of its 11 cells are added there, the others are labelled already.",
    ]
    _check_folder(tmp_path, slides=89 - 2, regions=3259 - 19)
    row = next(row for row in _rows(tmp_path / "regions.csv") if row["slide"] == "slides/1.jpg")
    x, y = (int(part) for part in (source / "labels" / "1.txt").read_text().split()[:2])
    assert (int(row["x"]), int(row["y"])) == (max(0, x - 36), max(0, y - 36))


def test_an_image_that_comes_twice_is_one_slide_and_its_cells_are_counted_once(tmp_path: Path) -> None:
    source = _chula_of(tmp_path / "in", "60 60 0\n120 90 3\n")
    (source / "images" / "9.jpg").write_bytes((source / "images" / "7.jpg").read_bytes())
    (source / "labels" / "9.txt").write_text("62 59 4\n150 50 5\n")
    study = convert_chula(source, tmp_path / "out")
    assert [slide[0] for slide in study.slides] == ["slides/7.jpg"]
    assert study.counts() == {"normal": 1, "spherocyte": 1, "stomatocyte": 1}
    assert "9.jpg is the same image as 7.jpg: 1 of its 2 cells" in study.notes[0]


def test_bccd_gives_a_region_for_each_box_with_an_area(data: Path, tmp_path: Path) -> None:
    study = convert_bccd(data / "blood_bccd", tmp_path)
    assert study.counts() == {"red-cell": 4155 - 2, "white-cell": 372, "platelet": 361}
    assert len(study.notes) == 2
    assert "BloodImage_00338.xml" in study.notes[0] and "BloodImage_00343.xml" in study.notes[1]
    _check_folder(tmp_path, slides=364, regions=4886)


def test_readers_calls_become_votes_one_each_and_no_truth(data: Path, tmp_path: Path) -> None:
    study = studies.convert_htt(data / "multi_expert_labels_htt_stils", tmp_path)
    assert len(study.slides) == 64 and not (tmp_path / "truth.csv").exists()
    votes, boxes = _rows(tmp_path / "votes.csv"), _rows(tmp_path / "regions.csv")
    # 7,898 rows, of which 301 are a reader's second look at a region, on another platform.
    assert (len(boxes), len(votes), len({row["annotator"] for row in votes})) == (640, 7597, 37)
    assert len({(row["region"], row["annotator"]) for row in votes}) == len(votes)
    assert {row["region"] for row in votes} == {row["id"] for row in boxes}
    plan = read_folder(tmp_path)
    assert len(plan.slides) == 64 and plan.region_count == 640 and len(plan.votes) == 7597
    row = next(row for row in boxes if row["slide"] == "slides/001.png")
    with Image.open(tmp_path / row["slide"]) as picture:
        inside = picture.getpixel((int(row["x"]) + 15, int(row["y"]) + 15))
        assert inside != picture.getpixel((0, 0))


def test_the_first_of_a_readers_calls_counts_and_damaged_rows_are_named(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    header = "WSI,caseID,readerID,labelROI,createDate\n"
    place = "a.ndpi_x7300.2190_y14600.2190"
    later = f"a.ndpi,{place},r1,Other Regions,2020-03-02 10:00:00\n"
    first = f"a.ndpi,{place},r1,Invasive Margin,2020-03-01 10:00:00\n"
    (source / "pilotHTT.csv").write_text(header + later + first)
    study = studies.convert_htt(source, tmp_path / "out")
    assert study.votes == [("slides/001.png", (110, 210, 30, 30), "r1", "margin")]
    (source / "pilotHTT.csv").write_text(header + first + "a.ndpi,nowhere,r1,Other Regions,2020-03-02 10:00:00\n")
    with pytest.raises(SourceError, match="line 3: a row needs readerID"):
        studies.convert_htt(source, tmp_path / "again")


def test_plain_slides_come_without_regions(data: Path, tmp_path: Path) -> None:
    study = convert_slides(data / "slides", tmp_path)
    assert len(study.slides) == 2 and study.notes == ["README.md is no slide and is left out."]
    assert not (tmp_path / "regions.csv").exists() and not (tmp_path / "truth.csv").exists()
    region = tomllib.loads((tmp_path / "study.toml").read_text(encoding="utf-8"))["region"]
    assert region == {"width": 256, "height": 256, "um_per_px": 0.5}


def test_images_in_the_folder_are_those_of_the_source(data: Path, tmp_path: Path) -> None:
    source = data / "slides" / "CMU-1-Small-Region.svs"
    convert_slides(data / "slides", tmp_path)
    assert (tmp_path / "slides" / source.name).read_bytes() == source.read_bytes()
    assert not (tmp_path / "slides" / source.name).is_symlink()


def test_square_box_is_cut_off_at_the_edge() -> None:
    assert square_box(100, 100, edge=72, dimensions=(640, 480)) == (64, 64, 72, 72)
    assert square_box(5, 478, edge=72, dimensions=(640, 480)) == (0, 442, 41, 38)


def _chula_of(folder: Path, labels: str) -> Path:
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    Image.new("RGB", (200, 150), (220, 220, 220)).save(folder / "images" / "7.jpg")
    (folder / "labels" / "7.txt").write_text(labels)
    return folder


@pytest.mark.parametrize(
    ("labels", "words"),
    [("10 20\n", "line 1: '10 20' is not three"), ("1 2 0\n3 4 99\n", "line 2: there is no type 99")],
)
def test_damaged_label_line_is_named(tmp_path: Path, labels: str, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        convert_chula(_chula_of(tmp_path / "in", labels), tmp_path / "out")


def test_two_labels_on_one_point_give_one_region_and_a_note(tmp_path: Path) -> None:
    study = convert_chula(_chula_of(tmp_path / "in", "90 70 0\n90 70 3\n"), tmp_path / "out")
    assert study.counts() == {"normal": 1}
    assert study.notes == ["slides/7.jpg: two labels for the box at 54, 34; the first is kept."]


def test_command_line_converts_once_and_then_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["chula", str(_chula_of(tmp_path / "in", "90 70 4\n")), str(tmp_path / "out")]
    assert main(arguments) == 0
    assert "1 slides, 1 regions" in capsys.readouterr().out
    assert main(arguments) == 2
    assert "is not empty" in capsys.readouterr().err
    assert main(["bccd", str(tmp_path / "nowhere"), str(tmp_path / "new")]) == 2
    assert "is not a folder" in capsys.readouterr().err


def test_other_files_of_the_same_form_work(tmp_path: Path) -> None:
    """The folder is an argument: nothing is bound to the files of the sample."""
    assert set(studies.CONVERTERS) == {"chula", "bccd", "htt", "slides"}
    study = convert_chula(_chula_of(tmp_path / "in", "20 20 12\n100 100 5\n"), tmp_path / "out")
    assert study.counts() == {"elliptocyte": 1, "stomatocyte": 1}
    assert [row["x"] for row in _rows(tmp_path / "out" / "regions.csv")] == ["0", "64"]
