import csv
import json
import shutil
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from PIL import Image

from annotation import clock
from annotation.errors import Conflict, GateClosed, Refused
from annotation.models import (
    ConsistencyPass,
    Finding,
    LabelClass,
    LedgerEntry,
    PassItem,
    Region,
    Release,
    ReleaseItem,
    Slide,
)
from annotation.releasing import files, folder
from annotation.releasing.verify import verify
from annotation.selectors import released
from annotation.services import findings, ledger, passes, releases, setup, truth
from annotation.states import Role
from tests import factories
from tests.annotation.consistency_studies import answer_all, answered, decide, decided, run_pass
from workers import progress

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(settings, tmp_path):
    settings.STORE = tmp_path / "store"
    return settings.STORE


@pytest.fixture
def clean(store):
    study, manager = answered()
    return study, manager, run_pass(study)


@pytest.fixture
def frozen(clean):
    study, manager, row = clean
    release = releases.freeze(study=study, consistency_pass=row, member=manager)
    return study, manager, release, releases.place(release)


@pytest.fixture
def blocked(store):
    """A finished pass with one open blocker."""
    study, manager = answered()
    LabelClass.objects.filter(protocol=study.protocol, code="monocyte").update(quota=3)
    row = run_pass(study)
    return study, manager, row, Finding.objects.get(consistency_pass=row)


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


@pytest.fixture
def pictured(store):
    """A clean pass of a study that wants pictures, on slides that are there."""
    study, manager = decided(regions=6, slides=2, policy={"release_crops": True})
    for number, row in enumerate(Slide.objects.filter(study=study).order_by("id")):
        path = store / row.stored_name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(
            0, 256, size=(row.height // 8, row.width // 8, 3), dtype=np.uint8
        )
        Image.fromarray(pixels).resize((row.width, row.height)).save(path)
    return study, manager, run_pass(study)


def test_pictures_are_the_pixels_of_the_slide_by_split_and_class(pictured):
    study, manager, row = pictured
    where = releases.place(releases.freeze(study=study, consistency_pass=row, member=manager))
    assert verify(where).problems == []
    rows = rows_of(where / "labels.csv")
    assert len(list(where.glob("crops/*/*/*.png"))) == len(rows) == 6
    for line in rows:
        crop = np.asarray(Image.open(where / "crops" / line["split"] / line["label"] / f"{line['region']}.png"))
        slide = np.asarray(Image.open(store_of(study, line["slide"])))
        x, y, width, height = (int(line[key]) for key in ("x", "y", "width", "height"))
        assert np.array_equal(crop, slide[y : y + height, x : x + width])


def store_of(study, slide: str) -> Path:
    return releases.root().parent / Slide.objects.get(study=study, public_id=slide).stored_name


def test_pictures_cut_again_are_the_same_bytes(pictured):
    study, manager, row = pictured
    where = releases.place(releases.freeze(study=study, consistency_pass=row, member=manager))
    before = {name: path.read_bytes() for name, path in files.listed(where).items()}
    shutil.rmtree(where)
    releases.freeze(study=study, consistency_pass=row)
    assert {name: path.read_bytes() for name, path in files.listed(where).items()} == before


def test_a_slide_that_is_gone_is_named_and_nothing_is_cut(pictured):
    study, manager, row = pictured
    gone = Slide.objects.filter(study=study).order_by("public_id").last()
    store_of(study, gone.public_id).unlink()
    with pytest.raises(Conflict, match=f"Slide {gone.public_id} can't be read"):
        releases.freeze(study=study, consistency_pass=row, member=manager)
    assert not Release.objects.exists() and not list(releases.root().iterdir())


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


def test_an_open_blocker_closes_the_gate_of_the_service(blocked):
    study, manager, row, finding = blocked
    with pytest.raises(GateClosed, match="Class monocyte has 2 of the 3") as closed:
        releases.freeze(study=study, consistency_pass=row, member=manager)
    assert closed.value.details["blockers"] == [{"id": finding.pk, "rule": "class-quota", "message": finding.message}]
    assert not releases.root().exists() or not list(releases.root().iterdir())


def test_the_database_refuses_a_release_beside_an_open_blocker(blocked):
    _, _, row, _ = blocked
    with pytest.raises(DatabaseError, match="1 open blockers"), transaction.atomic():
        insert_release(row)


def insert_release(row: ConsistencyPass) -> Release:
    return Release.objects.create(
        study=row.study,
        number=1,
        consistency_pass=row,
        manifest_digest="0" * 64,
        stored_name="x",
        items_count=0,
        created_at=clock.now(),
    )


def test_a_waived_blocker_opens_the_gate_and_is_told(blocked):
    study, manager, row, finding = blocked
    findings.waive(finding=finding, member=manager, reason="Monocytes | are <rare>.")
    release = releases.freeze(study=study, consistency_pass=row, member=manager)
    where = releases.place(release)
    (decision,) = json.loads((where / "manifest.json").read_text())["decisions"]
    assert (decision["by"], decision["reason"], decision["state"]) == ("A1", "Monocytes | are <rare>.", "waived")
    assert "Monocytes \\| are \\<rare\\>." in (where / "datasheet.md").read_text()
    with pytest.raises(Conflict, match="has been released"):
        findings.reopen(finding=finding, member=manager, reason="Too late.")


def test_a_fix_that_changes_the_truth_keeps_the_gate_closed_until_a_new_pass(store):
    study, manager = answered(policy={"target_confidence": 0.8})
    rows = Region.objects.filter(study=study, known_truth__label__in=["neutrophil", "monocyte"])
    twins = list(rows.order_by("known_truth__label").values_list("pk", flat=True))[1:3]
    Region.objects.filter(pk__in=twins).update(pixel_digest="cd" * 32)
    study.slides.update(case=study.cases.first())
    row = run_pass(study)
    finding = Finding.objects.get(consistency_pass=row)
    findings.apply(finding=finding, member=manager, reason="Blurred.", fix="exclude")
    with pytest.raises(GateClosed, match="1 of them were fixed since; a new pass will see it"):
        releases.freeze(study=study, consistency_pass=row)
    with pytest.raises(DatabaseError, match="run a new pass"), transaction.atomic():
        insert_release(row)
    release = releases.freeze(study=study, consistency_pass=run_pass(study), member=manager)
    assert release.items_count == 5 and verify(releases.place(release)).ok


def test_the_database_keeps_findings_passes_and_releases_as_they_were(blocked):
    study, manager, row, finding = blocked
    attempts = {
        "not deleted": finding.delete,
        "What a rule has found": lambda: Finding.objects.filter(pk=finding.pk).update(severity="warning"),
        "finished consistency pass": lambda: type(row).objects.filter(pk=row.pk).update(ledger_position=1),
        "nothing can be added to what it saw": lambda: PassItem.objects.create(
            consistency_pass=row,
            region=factories.region(factories.slide(study)),
            revision=study.revisions.first(),
        ),
    }
    for reason, attempt in attempts.items():
        with pytest.raises(DatabaseError, match=reason), transaction.atomic():
            attempt()
    findings.waive(finding=finding, member=manager, reason="Rare.")
    release = releases.freeze(study=study, consistency_pass=row)
    other = factories.region(factories.slide(study))
    attempts = {
        "its findings no longer change": lambda: Finding.objects.create(
            consistency_pass=row, rule="later", severity="blocker", message="Late."
        ),
        "nothing can be added to it": lambda: ReleaseItem.objects.create(
            release=release, region=other, revision=study.revisions.first(), split="train"
        ),
    }
    for reason, attempt in attempts.items():
        with pytest.raises(DatabaseError, match=reason), transaction.atomic():
            attempt()


def test_only_a_finished_pass_of_the_study_with_something_in_it_is_released(clean):
    study, manager, row = clean
    with pytest.raises(GateClosed, match="Pass 2 is running"):
        releases.freeze(study=study, consistency_pass=passes.start(study=study))
    other = factories.study()
    with pytest.raises(Refused, match="another study"):
        releases.freeze(study=other, consistency_pass=row)
    with pytest.raises(GateClosed, match="nothing to release"):
        releases.freeze(study=other, consistency_pass=run_pass(other))
    with pytest.raises(Refused, match="manager of the study"):
        releases.freeze(study=study, consistency_pass=row, member=factories.member(study))


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


def test_commands_cut_export_and_verify(clean, tmp_path, capsys):
    study, _, _ = clean
    call_command("release", study.slug, "--pass", "1", "--as", "A1")
    release = Release.objects.get()
    assert release.manifest_digest in capsys.readouterr().out
    for name in (f"{study.slug}:1", release.manifest_digest[:12]):
        call_command("export", name, str(tmp_path / name.replace(":", "-")))
    out = tmp_path / release.manifest_digest[:12]
    assert "Wrote 6 regions" in capsys.readouterr().out
    call_command("verify_release", str(out), "--digest", release.manifest_digest)
    assert "The release holds: 6 regions" in capsys.readouterr().out
    with pytest.raises(CommandError, match="exists already: name a new folder"):
        call_command("export", f"{study.slug}:1", str(out))
    (out / "labels.csv").unlink()
    with pytest.raises(CommandError, match="the release does not hold"):
        call_command("verify_release", str(out))
    assert "labels.csv is missing." in capsys.readouterr().err


def test_commands_name_what_they_cannot_find(clean):
    study, _, _ = clean
    for words, said in (
        (("release", "nowhere"), f"no study 'nowhere'. Known studies: {study.slug}"),
        (("release", study.slug, "--pass", "9"), "no such consistency pass"),
        (("release", study.slug, "--as", "A2"), "'A2' is no manager of .* Managers: A1"),
        (("export", "abc", "x"), "names no release"),
        (("export", "0123456789", "x"), "no release '0123456789'"),
        (("verify_release", "/nowhere/at/all"), "1 problems"),
        (("verify_ledger", study.slug, "--anchor", "7"), "holds no anchor"),
        (("verify_ledger", study.slug, "--anchor-file", "/nowhere"), "cannot be read"),
    ):
        with pytest.raises(CommandError, match=said):
            call_command(*words)


def test_the_release_command_lists_what_is_open(blocked, capsys):
    study, _, _, finding = blocked
    with pytest.raises(CommandError, match="not clean"):
        call_command("release", study.slug)
    assert f"class-quota (finding {finding.pk}): Class monocyte has 2 of the 3" in capsys.readouterr().err


def test_the_pass_command_runs_shows_and_fails_while_blockers_are_open(store, capsys, monkeypatch):
    # A beat comes over another connection, which sees no row of this test: a slow job would be taken for lost.
    monkeypatch.setattr(progress, "BEAT_SECONDS", 3600.0)
    study, manager = answered()
    call_command("consistency_pass", study.slug, "--as", "A1")
    assert "6 regions, 0 findings, 0 open blockers" in capsys.readouterr().out
    LabelClass.objects.filter(protocol=study.protocol, code="monocyte").update(quota=3)
    with pytest.raises(CommandError, match="not clean"):
        call_command("consistency_pass", study.slug)
    assert "blocker class-quota [open] Class monocyte has 2 of the 3" in capsys.readouterr().out


def test_the_ledger_command_carries_its_head_outside(clean, tmp_path, capsys):
    study, _, _ = clean
    note = tmp_path / "anchor.json"
    call_command("verify_ledger", study.slug, "--write-anchor", str(note))
    head = ledger.head(study)
    assert f"Anchor {head.position}:{head.digest}" in capsys.readouterr().out
    call_command("verify_ledger", study.slug, "--anchor-file", str(note))
    with pytest.raises(CommandError, match="1 problems"):
        call_command("verify_ledger", study.slug, "--anchor", f"{head.position}:{'0' * 64}")
    assert "is not the entry that was anchored" in capsys.readouterr().err


def test_the_datasheet_says_who_how_and_how_well(frozen):
    text = (frozen[3] / "datasheet.md").read_text()
    for said in ("6 regions on 3 slides of 3 cases", "| A2 | annotator | 6 |", "| monocyte | 2 | 2 |", "1.000"):
        assert said in text, said
    assert "Simulated" not in text


def test_a_manager_of_another_study_cuts_nothing(clean):
    study, _, row = clean
    stranger = factories.member(factories.study(), Role.MANAGER)
    with pytest.raises(Refused):
        releases.freeze(study=study, consistency_pass=row, member=stranger)


def test_a_release_is_restored_after_a_waiver_in_it_has_run_out(blocked, monkeypatch):
    study, manager, row, finding = blocked
    until = clock.now() + timedelta(hours=1)
    findings.waive(finding=finding, member=manager, reason="Rare here.", until=until)
    release = releases.freeze(study=study, consistency_pass=row, member=manager)
    before = {name: path.read_bytes() for name, path in files.listed(releases.place(release)).items()}
    shutil.rmtree(releases.place(release))
    monkeypatch.setattr(releases.timezone, "now", lambda: until + timedelta(hours=1))
    assert releases.freeze(study=study, consistency_pass=row, member=manager) == release
    assert {name: path.read_bytes() for name, path in files.listed(releases.place(release)).items()} == before
