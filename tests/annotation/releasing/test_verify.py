import csv
import json
from io import StringIO
from pathlib import Path

import pytest

from annotation.releasing import files, folder, tables
from annotation.releasing.verify import verify
from tests.annotation.releasing import contents


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def rewrite(path: Path, **changed: str) -> None:
    """Alter the first row of a table, and make all checksums fit again: a careful forger."""
    rows = rows_of(path)
    rows[0] |= changed
    buffer = StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    forge(path, buffer.getvalue())


def forge(path: Path, text: str) -> None:
    where = next(folder for folder in path.parents if (folder / "manifest.json").exists())
    before = files.hash_file(path)
    path.write_text(text)
    manifest = json.loads((where / "manifest.json").read_text())
    described = where / "croissant.json"
    described.write_text(described.read_text().replace(before, files.hash_file(path)))
    for altered in (path, described):
        facts = {"sha256": files.hash_file(altered), "size_bytes": altered.stat().st_size}
        manifest["files"][altered.relative_to(where).as_posix()] |= facts
    reseal(where, manifest)


def reseal(where: Path, manifest: dict) -> None:
    (where / "manifest.json").write_text(json.dumps(manifest))
    names = [name for name in files.listed(where) if name != "CHECKSUMS"]
    (where / "CHECKSUMS").write_text("".join(f"{files.hash_file(where / name)}  {name}\n" for name in names))


@pytest.fixture
def copy(tmp_path):
    """A release's folder under a name that says nothing of its digest."""
    written, _ = folder.write(contents.content(), parent=tmp_path)
    return written


def test_an_untouched_release_holds_and_is_the_same_each_time(copy, tmp_path):
    digest = files.hash_file(copy / "manifest.json")
    assert verify(copy, digest=digest).problems == []
    again, other = folder.write(contents.content(), parent=tmp_path / "other")
    assert other == digest and files.find_damage(again) == []


def test_the_folders_name_is_checked_where_it_is_a_digest(copy):
    target, is_new = folder.publish(copy, digest="0" * 64)
    assert is_new
    (problem,) = verify(target).problems
    assert "is expected" in problem


def test_an_altered_file_is_named(copy):
    text = (copy / "labels.csv").read_text()
    (copy / "labels.csv").write_text(text.replace("train", "test", 1))
    problems = verify(copy).problems
    assert "labels.csv was altered: its SHA-256 is not the one in CHECKSUMS." in problems


def test_missing_and_additional_files_are_named(copy):
    (copy / "answers.csv").unlink()
    (copy / "notes.txt").write_text("hello")
    problems = verify(copy).problems
    assert "answers.csv is missing." in problems and "notes.txt does not belong to the release." in problems


def test_a_label_that_was_forged_with_its_checksums_is_named_by_the_ledger(copy):
    row = rows_of(copy / "labels.csv")[0]
    other = next(code for code in contents.CODES if code != row["label"])
    rewrite(copy / "labels.csv", label=other, confidence=row[f"p_{other}"])
    problems = verify(copy).problems
    expected = f"labels.csv, line 2 (region {row['region']}): label is {other}, but the ledger says {row['label']}."
    assert expected in problems


def test_a_forged_answer_is_named_by_the_ledger(copy):
    row = rows_of(copy / "answers.csv")[0]
    other = next(code for code in contents.CODES if code != row["label"])
    rewrite(copy / "answers.csv", label=other)
    (problem,) = verify(copy).problems
    assert problem.startswith(f"answers.csv, line 2 ({row['annotator']} on region {row['region']}): label is {other}")


@pytest.mark.parametrize(
    ("column", "forged"), [("seconds", "99.000000"), ("flagged", "1"), ("suggestion", "monocyte"), ("protocol", "2")]
)
def test_whatever_an_answer_says_is_held_against_the_ledger(copy, column, forged):
    rewrite(copy / "answers.csv", **{column: forged})
    (problem,) = verify(copy).problems
    assert f"{column} is {forged}, but the ledger says" in problem


@pytest.mark.parametrize("name", ["labels.csv", "answers.csv"])
def test_a_cell_too_long_to_read_is_a_sentence(copy, name):
    with (copy / name).open("a") as stream:
        stream.write("x" * 200_000 + "\n")
    assert any("cannot be read to its end" in problem for problem in verify(copy).problems)


@pytest.mark.parametrize("name", ["manifest.json", "ledger.jsonl"])
def test_json_nested_without_end_is_a_sentence(copy, name):
    (copy / name).write_text("[" * 100_000)
    assert any("cannot be read to its end" in problem for problem in verify(copy).problems)


def test_a_row_left_out_is_named(copy):
    lines = (copy / "labels.csv").read_text().splitlines(keepends=True)
    gone = lines.pop(3).split(",")[0]
    forge(copy / "labels.csv", "".join(lines))
    problems = verify(copy).problems
    assert f"labels.csv: region {gone} is settled in the ledger, but missing here." in problems
    assert any(problem.startswith("manifest.json counts regions as 6") for problem in problems)


def test_a_ledger_that_was_shortened_or_rewritten_is_named(copy):
    lines = (copy / "ledger.jsonl").read_text().splitlines(keepends=True)
    forge(copy / "ledger.jsonl", "".join(lines[:-1]))
    assert any("its end was cut off" in problem for problem in verify(copy).problems)
    forge(copy / "ledger.jsonl", "".join([lines[0].replace("neutrophil", "monocyte"), *lines[1:]]))
    assert any("Entry 1 (annotation) was altered" in problem for problem in verify(copy).problems)


def test_a_case_moved_between_splits_is_named(copy):
    manifest = json.loads((copy / "manifest.json").read_text())
    case = manifest["slides"][0]["case"]
    manifest["splits"][case] = "nowhere"
    reseal(copy, manifest)
    assert any(f"case {case} belongs to split nowhere" in problem for problem in verify(copy).problems)


def test_a_consistent_forgery_is_told_by_the_digest_from_elsewhere(copy):
    digest = files.hash_file(copy / "manifest.json")
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["study"]["name"] = "Another study"
    reseal(copy, manifest)
    assert verify(copy).ok
    (problem,) = verify(copy, digest=digest).problems
    assert "is expected" in problem


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "concord-release", "version": 1}', "\0"])
def test_an_unreadable_manifest_is_a_sentence(copy, text):
    (copy / "manifest.json").write_text(text)
    assert verify(copy).problems


@pytest.mark.parametrize("line", ["", "{}", "[1,2]", "[1,1,1,1,1]", "nonsense"])
def test_an_unreadable_ledger_is_a_sentence(copy, line):
    forge(copy / "ledger.jsonl", f"{line}\n")
    assert verify(copy).problems


def test_cells_that_a_spreadsheet_would_run_are_guarded_and_read_back(tmp_path):
    rows = [["=1+1", "+a", "-b", "@c"], ["'quoted", "a,b", 'say "hi"', "two\nlines"], ["", "\tx", "\rx", "plain"]]
    (tmp_path / "table.csv").write_bytes(tables.render(["a", "b", "c", "d"], rows))
    with (tmp_path / "table.csv").open(newline="") as stream:
        raw = list(csv.reader(stream))
    assert not [cell for row in raw[1:] for cell in row if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]
    assert [list(row.values()) for row in tables.read(tmp_path / "table.csv")] == rows
