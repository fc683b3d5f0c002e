import csv
import tarfile

from annotation.releasing import archive, diff, files, folder
from annotation.releasing.diff import Held
from annotation.releasing.verify import verify
from tests.annotation.releasing.contents import content

BEFORE = {
    "r1": Held("neutrophil", "train"),
    "r2": Held("lymphocyte", "train"),
    "r3": Held("monocyte", "test"),
    "r4": Held("monocyte", "train"),
}
AFTER = {
    "r1": Held("neutrophil", "train"),
    "r2": Held("monocyte", "test"),
    "r3": Held("monocyte", "validation"),
    "r5": Held("neutrophil", "train"),
}


def test_a_region_is_told_once_by_what_changed_most():
    found = diff.compare(BEFORE, AFTER)
    assert [(one.kind, one.region) for one in found.changes] == [
        ("relabelled", "r2"), ("removed", "r4"), ("moved", "r3"), ("added", "r5"),
    ]  # fmt: skip
    assert found.counts == {"relabelled": 1, "removed": 1, "moved": 1, "added": 1, "unchanged": 1}
    assert found.flows == {("lymphocyte", "monocyte"): 1}
    assert [one.region for one in found.of_kind("moved")] == ["r3"]


def test_nothing_changes_against_itself_and_all_is_new_against_nothing():
    assert diff.compare(BEFORE, dict(BEFORE)).counts["unchanged"] == 4
    assert diff.compare({}, AFTER).counts["added"] == 4


def test_the_table_has_a_line_a_change():
    rows = list(csv.DictReader(diff.to_csv(diff.compare(BEFORE, AFTER).changes).decode().splitlines()))
    assert tuple(rows[0]) == diff.COLUMNS and len(rows) == 4
    assert (rows[0]["label_before"], rows[0]["label_after"]) == ("lymphocyte", "monocyte")


def test_a_folder_is_read_and_its_archive_unpacks_to_the_same_bytes(tmp_path):
    made, digest = folder.write(content(), parent=tmp_path / "made")
    assert diff.read(made) == {one.region: Held(one.label, one.slide.split) for one in content().regions}
    held = files.listed(made)
    packed = b"".join(archive.stream(held, name=digest))
    assert len(packed) == archive.size_of(held)
    assert packed == b"".join(archive.stream(dict(reversed(held.items())), name=digest))
    (tmp_path / "release.tar").write_bytes(packed)
    with tarfile.open(tmp_path / "release.tar") as tar:
        tar.extractall(tmp_path / "out", filter="data")
    assert verify(tmp_path / "out" / digest).problems == verify(made, digest=digest).problems
    unpacked = files.listed(tmp_path / "out" / digest)
    assert {name: path.read_bytes() for name, path in unpacked.items()} == {
        name: path.read_bytes() for name, path in held.items()
    }
