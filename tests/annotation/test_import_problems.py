"""Each kind of bad input has a message that names file, line, reason and remedy."""

import shutil
from pathlib import Path

import pytest

from annotation.errors import BadInput
from annotation.studyfolder import read_folder
from annotation.studyfolder.problems import MOST_PER_FILE
from tests.annotation.folders import REGIONS, SLIDES, TOML, TRUTH, VOTES, write_folder, write_png


def problems_of(folder: Path) -> list[str]:
    with pytest.raises(BadInput) as caught:
        read_folder(folder)
    problems = caught.value.details["problems"]
    assert isinstance(problems, list)
    assert all(problem in caught.value.message for problem in problems)
    return problems


def only_problem_of(folder: Path) -> str:
    problems = problems_of(folder)
    assert len(problems) == 1, problems
    return problems[0]


def test_folder_that_holds_is_read_whole(tmp_path: Path) -> None:
    plan = read_folder(write_folder(tmp_path / "a folder"))
    assert [slide.name for slide in plan.slides] == ["slides/a.png", "slides/b.png"]
    assert (plan.slides[0].width, plan.slides[0].height) == (128, 80)
    assert plan.region_count == 4
    assert plan.truth["r2"].borderline == "round"
    assert [vote.seconds for vote in plan.votes] == [2.5, None, 1.0]
    assert [item.is_special for item in plan.definition.classes] == [False, False, True]


def test_path_that_is_no_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is not a folder"):
        read_folder(tmp_path / "missing")


CASES: dict[str, tuple[dict[str, str | None], str]] = {
    "no study.toml": (
        {"study": None},
        "study.toml: The file is missing. A study folder has study.toml and slides.csv",
    ),
    "no slides.csv": (
        {"slides": None, "regions": None, "truth": None, "votes": None},
        "slides.csv: The file is missing. It has the columns path, case and one for each domain.",
    ),
    "broken toml": (
        {
            "study": TOML.replace('name = "Small study"', 'name = "Small'),
            "slides": None,
            "regions": None,
            "truth": None,
            "votes": None,
        },
        "study.toml, line 1: It is not valid TOML",
    ),
    "unknown toml key": (
        {"study": 'nmae = "x"\n' + TOML},
        "study.toml, line 1: Unknown key 'nmae' in study.toml. Known keys are name, task",
    ),
    "unknown task": (
        {"study": TOML.replace('"classify"', '"paint"')},
        "study.toml, line 2: The task 'paint' is not known. Known tasks are \"classify\".",
    ),
    "bad region size": (
        {"study": TOML.replace("width = 32", "width = 0")},
        "study.toml, line 3: The region's 'width' is 0. Give whole pixels from 1 to 20,000.",
    ),
    "reserved domain": (
        {"study": TOML.replace('["lab"]', '["case"]'), "slides": "path,case\nslides/a.png,case-1\n"},
        "study.toml, line 4: 'domains' must be a list of column names.",
    ),
    "two classes with one key": (
        {"study": TOML.replace('key = "l"', 'key = "r"')},
        "study.toml, line 6: The classes 1 and 2 have the same key 'r'. Give each class a key of its own.",
    ),
    "two classes with one code": (
        {"study": TOML.replace('code = "not-evaluable"', 'code = "long"')},
        "study.toml, line 6: The classes 2 and 3 have the same code 'long'.",
    ),
    "bad colour": (
        {"study": TOML.replace("#445566", "blue")},
        "study.toml, line 6: The colour of class 2 does not hold: 'blue'. Write it as \"#rrggbb\".",
    ),
    "class without a colour": (
        {"study": TOML.replace('colour = "#445566"\n', "")},
        'study.toml, line 6: The colour of class 2 is missing. Write it as "#rrggbb".',
    ),
    "unknown class key": (
        {"study": TOML.replace("special = true", "speical = true")},
        "study.toml, line 25: Unknown key 'speical' in class 3.",
    ),
    "unknown policy key": (
        {"study": TOML.replace("batch_size = 4", "batch_sise = 4")},
        "study.toml, line 28: Policy: unknown policy key 'batch_sise'.",
    ),
    "policy out of range": (
        {"study": TOML.replace("audit_rate = 0.5", "audit_rate = 5.0")},
        "study.toml, line 29: Policy: 'audit_rate' must lie between 0 and 1.",
    ),
    "policy of a wrong type": (
        {"study": TOML.replace("batch_size = 4", 'batch_size = "four"')},
        "study.toml, line 28: Policy: 'batch_size' must be a whole number, not 'four'. See docs/study-folder.md",
    ),
    "unknown encoder": (
        {"study": TOML.replace("batch_size = 4", 'encoder = "magic"')},
        "study.toml, line 28: Policy: 'encoder' must be one of colour-texture, study-cnn, onnx:<file>@<sha256>, "
        "not 'magic'.",
    ),
    "tiles that are no squares": (
        {"study": TOML.replace("width = 32", "width = 64"), "regions": None, "truth": None, "votes": None},
        "study.toml, line 3: The region is 64 x 32, but without regions.csv slides are cut into squares. Give equal",
    ),
    "semicolons instead of commas": (
        {"slides": SLIDES.replace(",", ";"), "regions": None, "truth": None, "votes": None},
        "slides.csv, line 1: Its columns are separated by semicolons. Save it again as CSV with commas.",
    ),
    "tabs instead of commas": (
        {"truth": TRUTH.replace(",", "\t")},
        "truth.csv, line 1: Its columns are separated by tabs.",
    ),
    "open quote in the header": (
        {"votes": '"' + VOTES},
        "votes.csv, line 4: The line is not valid CSV",
    ),
    "domain column missing": (
        {"slides": SLIDES.replace("path,case,lab", "path,case,scanner")},
        "slides.csv, line 1: The column 'lab' is missing. Its columns are path, case, lab.",
    ),
    "empty case": (
        {"slides": SLIDES.replace("case-2", "")},
        "slides.csv, line 3: The column 'case' is empty.",
    ),
    "slide listed twice": (
        {"slides": SLIDES + "slides/a.png,case-1,north\n"},
        "slides.csv, line 4: The slide 'slides/a.png' is already on line 2. Keep one of the two lines.",
    ),
    "slide file missing": (
        {"slides": SLIDES + "slides/c.png,case-1,north\n"},
        "slides.csv, line 4: The slide 'slides/c.png' can't be used: The file does not exist.",
    ),
    "path upwards": (
        {"slides": SLIDES + "../secret.png,case-1,north\n"},
        "slides.csv, line 4: The path '../secret.png' leads outside the study folder. Copy the slide into it",
    ),
    "absolute path": (
        {"slides": SLIDES + "/etc/passwd,case-1,north\n"},
        "slides.csv, line 4: The path '/etc/passwd' leads outside the study folder.",
    ),
    "wrong number of fields": (
        {"slides": SLIDES + "slides/c.png,case-1\n"},
        "slides.csv, line 4: The line has 2 fields, the header 3. Quote fields that hold a comma.",
    ),
    "two regions with one id": (
        {"regions": REGIONS + "r1,slides/b.png,5,5,32,32\n"},
        "regions.csv, line 6: The id 'r1' is already on line 2. Give each region an id of its own.",
    ),
    "two regions with one rectangle": (
        {"regions": REGIONS + "r5,slides/b.png,0,0,32,32\n"},
        "regions.csv, line 6: The region 'r5' has the rectangle of line 4. Keep one of them.",
    ),
    "region outside its slide": (
        {"regions": REGIONS + "r5,slides/b.png,100,0,32,32\n"},
        "regions.csv, line 6: The region 'r5' (x 100 to 132, y 0 to 32) lies outside its slide of 128 x 80",
    ),
    "region left of its slide": (
        {"regions": REGIONS + "r5,slides/b.png,-1,0,32,32\n"},
        "regions.csv, line 6: The region 'r5' (x -1 to 31, y 0 to 32) lies outside its slide",
    ),
    "region without area": (
        {"regions": REGIONS + "r5,slides/b.png,1,0,0,32\n"},
        "regions.csv, line 6: The region 'r5' has no area. Width and height are at least 1 pixel.",
    ),
    "region of an unknown slide": (
        {"regions": REGIONS + "r5,slides/z.png,1,0,32,32\n"},
        "regions.csv, line 6: The slide 'slides/z.png' is not in slides.csv. Use its path as written there.",
    ),
    "bad number": (
        {"regions": REGIONS + "r5,slides/b.png,1.5,0,32,32\n"},
        "regions.csv, line 6: 'x' must be a whole number, not '1.5'. Give it in level-0 pixels.",
    ),
    "missing region column": (
        {"regions": REGIONS.replace("width", "w"), "truth": None, "votes": None},
        "regions.csv, line 1: The column 'width' is missing. Its columns are id, slide, x, y, width, height.",
    ),
    "unknown class in truth": (
        {"truth": TRUTH.replace("r3,round", "r3,square")},
        "truth.csv, line 4: The label 'square' is not a class of study.toml. Its classes are long, "
        "not-evaluable, round.",
    ),
    "unknown borderline class": (
        {"truth": TRUTH.replace("r2,long,round", "r2,long,square")},
        "truth.csv, line 3: The borderline 'square' is not a class of study.toml.",
    ),
    "truth twice": (
        {"truth": TRUTH + "r1,long,\n"},
        "truth.csv, line 6: The region 'r1' already has its truth on line 2.",
    ),
    "truth of an unknown region": (
        {"truth": TRUTH + "r9,long,\n"},
        "truth.csv, line 6: The region 'r9' is not in regions.csv. Use the id as written there.",
    ),
    "votes for an unknown region": (
        {"votes": VOTES + "r9,Ada,round,1\n"},
        "votes.csv, line 5: The region 'r9' is not in regions.csv.",
    ),
    "vote for an unknown class": (
        {"votes": VOTES + "r2,Ada,square,1\n"},
        "votes.csv, line 5: The label 'square' is not a class of study.toml.",
    ),
    "second vote of a person": (
        {"votes": VOTES + "r1,Ada,long,1\n"},
        "votes.csv, line 5: 'Ada' already voted on the region 'r1' on line 2. Keep one vote for each person.",
    ),
    "vote without annotator": (
        {"votes": VOTES + "r2,,long,1\n"},
        "votes.csv, line 5: The vote has no annotator.",
    ),
    "bad seconds": (
        {"votes": VOTES + "r2,Ada,long,nan\n"},
        "votes.csv, line 5: 'seconds' must be a time in seconds, not 'nan'.",
    ),
    "truth without regions": (
        {"regions": None, "votes": None},
        "truth.csv: It speaks of regions, but there is no regions.csv. Add regions.csv or remove this file.",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_problem_is_named_with_file_line_reason_and_remedy(name: str, tmp_path: Path) -> None:
    files, expected = CASES[name]
    problems = problems_of(write_folder(tmp_path / "study", **files))
    assert any(problem.startswith(expected) for problem in problems), problems


def test_all_problems_are_listed_at_once(tmp_path: Path) -> None:
    folder = write_folder(
        tmp_path / "study",
        study=TOML.replace("batch_size", "batch_sise"),
        slides=SLIDES + "slides/none.png,case-3,north\n",
        regions=REGIONS + "r1,slides/a.png,1,1,32,32\nr6,slides/a.png,900,1,32,32\n",
        truth=TRUTH + "r6,square,\n",
        votes=VOTES + "r9,Ada,round,1\n",
    )
    files = [problem.split(",")[0].split(":")[0] for problem in problems_of(folder)]
    assert files == ["study.toml", "slides.csv", "regions.csv", "regions.csv", "truth.csv", "votes.csv"]


@pytest.mark.parametrize(
    "study", [None, TOML.replace('name = "Small study"', 'name = "Small')], ids=["missing", "broken"]
)
def test_study_that_cannot_be_read_is_the_only_problem_told(study: str | None, tmp_path: Path) -> None:
    """Columns, classes and keys that it would have named are not told as unknown."""
    assert only_problem_of(write_folder(tmp_path / "study", study=study)).startswith("study.toml")


def test_slide_that_is_no_image_is_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "study")
    (folder / "slides" / "a.png").write_bytes(b"this is no picture, only some text" * 30)
    problem = only_problem_of(folder)
    assert problem.startswith("slides.csv, line 2: The slide 'slides/a.png' can't be used: ")


def test_slide_that_is_cut_off_is_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "study")
    path = folder / "slides" / "b.png"
    path.write_bytes(path.read_bytes()[:8000])
    problem = only_problem_of(folder)
    assert problem.startswith("slides.csv, line 3: The slide 'slides/b.png' can't be used: ")


def test_slides_of_same_content_are_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "study", slides=SLIDES + "slides/copy.png,case-3,north\n")
    shutil.copy(folder / "slides" / "a.png", folder / "slides" / "copy.png")
    assert only_problem_of(folder) == (
        "slides.csv, line 4: The slide 'slides/copy.png' has the same content as 'slides/a.png' on line 2. "
        "Keep one of the two."
    )


def test_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    write_png(tmp_path / "outside.png", seed=3)
    folder = write_folder(tmp_path / "study", slides=SLIDES + "slides/link.png,case-3,north\n")
    (folder / "slides" / "link.png").symlink_to(tmp_path / "outside.png")
    assert "leads outside the study folder" in only_problem_of(folder)


def test_format_of_several_files_is_refused_with_a_remedy(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "study", slides=SLIDES + "slides/c.mrxs,case-3,north\n")
    (folder / "slides" / "c.mrxs").write_bytes(b"x")
    assert "keeps its pixels in several files. Convert it to one" in only_problem_of(folder)


def test_table_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "study", votes=None)
    (folder / "truth.csv").write_bytes(b"region,label\nr1,r\xfcnd\n")
    assert only_problem_of(folder).startswith("truth.csv: It is not UTF-8 text")


def test_table_with_a_byte_order_mark_and_windows_line_ends_is_read(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "study")
    (folder / "regions.csv").write_bytes(b"\xef\xbb\xbf" + REGIONS.replace("\n", "\r\n").encode())
    assert read_folder(folder).region_count == 4


def test_regions_of_a_bad_slide_are_not_told_twice(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "study")
    (folder / "slides" / "a.png").unlink()
    assert only_problem_of(folder).startswith("slides.csv, line 2")


def test_thousands_of_problems_are_counted_not_all_told(tmp_path: Path) -> None:
    rows = "".join(f"q{number},slides/none.png,0,0,32,32\n" for number in range(MOST_PER_FILE + 50))
    problems = problems_of(write_folder(tmp_path / "study", regions=REGIONS + rows))
    assert len(problems) == MOST_PER_FILE + 1
    assert problems[-1].startswith("regions.csv: 50 more problems are not listed.")
