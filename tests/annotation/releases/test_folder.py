"""The folder of a release: what it holds, that it stays, and that nothing is left of a failed one."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from annotation.models import (
    Finding,
    LedgerEntry,
    Region,
    Release,
    ReleaseItem,
    Slide,
)
from annotation.releasing import files, folder
from annotation.releasing.verify import verify
from annotation.selectors import released
from annotation.services import ledger, releases, setup, truth
from tests import factories
from tests.annotation.consistency_studies import answer_all, decide, decided, run_pass

pytestmark = pytest.mark.django_db


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def test_a_clean_pass_becomes_a_folder_that_holds(frozen):
    study, manager, release, where = frozen
    assert verify(where, digest=release.manifest_digest).problems == []
    assert where.name == release.manifest_digest and release.created_by == manager
    slides = {f"geojson/{slide.public_id}.geojson" for slide in study.slides.all()}
    assert set(files.listed(where)) - slides == {
        "CHECKSUMS", "CITATION.cff", "README.md", "answers.csv", "changelog.md", "classes.csv", "coco.json",
        "croissant.json", "datasheet.md", "labels.csv", "ledger.jsonl", "manifest.json",
    }  # fmt: skip
    assert ReleaseItem.objects.filter(release=release).count() == release.items_count == 6
    assert ledger.verify(study).ok
    entry = LedgerEntry.objects.filter(study=study).latest("position")
    assert entry.kind == "release" and json.loads(entry.payload)["manifest_digest"] == release.manifest_digest


def test_labels_are_those_of_the_ground_truth(frozen):
    study, _, _, where = frozen
    rows = {row["region"]: row for row in rows_of(where / "labels.csv")}
    regions = Region.objects.filter(study=study).select_related("known_truth", "slide__case", "current_revision")
    assert len(rows) == len(regions) == 6
    for region in regions:
        row = rows[region.public_id]
        assert row["label"] == region.known_truth.label
        assert (row["slide_sha256"], row["case"]) == (region.slide.checksum, region.slide.case.code)
        assert [int(row[name]) for name in ("x", "y", "width", "height")] == [
            region.x, region.y, region.width, region.height,
        ]  # fmt: skip
        assert (row["n_answers"], row["agreement"], row["revision"]) == ("2", "1.000000", "1")
        assert row["confidence"] == row[f"p_{row['label']}"] and float(row["confidence"]) > 0.8
    answers = rows_of(where / "answers.csv")
    assert len(answers) == 12 and {row["annotator"] for row in answers} == {"A2", "A3"}


def test_nothing_in_a_release_names_people_files_or_rows(frozen):
    study, manager, release, where = frozen
    everything = b"".join(path.read_bytes() for path in files.listed(where).values()).decode()
    stored = Slide.objects.filter(study=study).values_list("stored_name", flat=True)
    for secret in (study.slug, study.secret, manager.user.username, *stored):
        assert secret not in everything


def test_cutting_the_same_pass_twice_gives_the_same_release(frozen):
    study, manager, release, where = frozen
    before = {name: path.read_bytes() for name, path in files.listed(where).items()}
    again = releases.freeze(study=study, consistency_pass=release.consistency_pass, member=manager)
    assert again == release and Release.objects.count() == 1
    shutil.rmtree(where)
    releases.freeze(study=study, consistency_pass=release.consistency_pass)
    assert {name: path.read_bytes() for name, path in files.listed(where).items()} == before
    assert [path.name for path in where.parent.iterdir()] == [release.manifest_digest]


def test_publication_is_pinned_by_the_pass_and_said_in_every_format(clean):
    study, manager, bare = clean
    setup.save_publication(
        study=study, said={"licence": "CC-BY-4.0", "creators": "A; B", "address": "https://example.org"}
    )
    row = run_pass(study)
    setup.save_publication(study=study, said={"licence": "CC0-1.0"})
    where = releases.place(releases.freeze(study=study, consistency_pass=row, member=manager))
    assert verify(where).problems == []
    for name in ("README.md", "CITATION.cff", "coco.json", "croissant.json", "datasheet.md", "manifest.json"):
        text = (where / name).read_text().replace("\\", "")
        assert "CC-BY-4.0" in text and "CC0" not in text, name
    assert "publication" not in bare.numbers


def test_a_damaged_folder_is_replaced_by_cutting_again(frozen):
    study, _, release, where = frozen
    (where / "labels.csv").write_text("gone")
    releases.freeze(study=study, consistency_pass=release.consistency_pass)
    assert verify(where, digest=release.manifest_digest).ok


def test_work_that_goes_on_after_the_pass_does_not_change_the_release(clean):
    study, manager, row = clean
    _, digest = folder.write(released.read(row), parent=releases.root())
    truth.decide(
        region=Region.objects.filter(study=study)[0], member=manager, answer=None, reason="Blurred.", exclude=True
    )
    factories.pick(factories.region(factories.slide(study), truth="monocyte"))
    answer_all(factories.member(study))
    factories.protocol(study, codes=("granulocyte", "other"))
    assert releases.freeze(study=study, consistency_pass=row).manifest_digest == digest


def test_a_failed_transaction_leaves_no_folder(clean, monkeypatch):
    study, _, row = clean

    def fail(**_):
        raise RuntimeError("the disk of the ledger is full")

    monkeypatch.setattr("annotation.services.releases.ledger.append", fail)
    with pytest.raises(RuntimeError, match="full"):
        releases.freeze(study=study, consistency_pass=row)
    assert list(releases.root().iterdir()) == [] and not Release.objects.exists()


def test_a_case_merged_after_a_release_would_leak_and_is_named(store):
    study, manager = decided(regions=12, slides=12)
    first = run_pass(study)
    releases.freeze(study=study, consistency_pass=first, member=manager)
    split_of = {case: split for case, _, split in first.numbers["slides"].values()}
    trained, tested = (next(case for case, split in split_of.items() if split == name) for name in ("train", "test"))
    Slide.objects.filter(study=study, case__code=trained).update(case=study.cases.get(code=tested))
    (finding,) = Finding.objects.filter(consistency_pass=run_pass(study), rule="case-splits")
    assert finding.subject == f"case {tested}" and finding.data["evidence"] == {"moves": [[1, "train", "test"]]}


def test_a_case_keeps_its_split_in_the_next_release(store):
    study, manager = decided(regions=6, slides=6)
    first = run_pass(study)
    releases.freeze(study=study, consistency_pass=first, member=manager)
    for _ in range(6):
        decide(factories.region(factories.slide(study)), manager, label="monocyte")
    later = run_pass(study).numbers["slides"]
    assert len(later) == 12
    assert {slide: later[slide] for slide in first.numbers["slides"]} == first.numbers["slides"]


def test_the_datasheet_says_who_how_and_how_well(frozen):
    text = (frozen[3] / "datasheet.md").read_text()
    for said in ("6 regions on 3 slides of 3 cases", "| A2 | annotator | 6 |", "| monocyte | 2 | 2 |", "1.000"):
        assert said in text, said
    assert "Simulated" not in text
