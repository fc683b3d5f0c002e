"""Importing a study folder: what becomes rows, what is never stored, and what a second import changes."""

import os
import time
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from annotation import audit, store
from annotation.errors import BadInput, Conflict, Refused
from annotation.models import Case, Job, KnownTruth, LedgerEntry, RecordedVote, Region, Slide, Study
from annotation.services import imports, slides, studies
from annotation.states import AuditHalf, JobKind, StudyState
from tests.annotation.folders import REGIONS, SLIDES, TOML, write_folder, write_png

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(settings, "STORE", tmp_path / "store")
    return tmp_path / "store"


def test_folder_becomes_study_slides_regions_truth_and_votes(tmp_path: Path) -> None:
    found = imports.import_folder(write_folder(tmp_path / "study"))
    study = Study.objects.get(slug="small-study")
    assert found.study == study and found.is_new_study
    assert (found.slides_new, found.regions_new, found.truth_new, found.votes_new) == (2, 4, 4, 3)
    assert study.state == StudyState.DRAFT and study.domains == ["lab"]
    assert study.policy.batch_size == 4 and study.protocol is not None
    assert [row.code for row in study.protocol.classes.order_by("position")] == [
        "round",
        "long",
        "not-evaluable",
    ]
    assert LedgerEntry.objects.get(study=study).kind == "protocol"
    assert Job.objects.filter(study=study, kind=JobKind.TILE_SLIDE).count() == 2
    assert KnownTruth.objects.get(borderline="round").label == "long"
    assert RecordedVote.objects.filter(region__study=study).values("annotator").distinct().count() == 2
    for slide in Slide.objects.filter(study=study):
        assert list(slide.regions.values_list("index", flat=True)) == [0, 1]
        assert slide.region_count == 2
        assert store.slide_path(slide).stat().st_size == slide.size_bytes


def test_names_of_files_cases_regions_and_people_are_not_stored(tmp_path: Path) -> None:
    folder = write_folder(
        tmp_path / "study",
        slides=SLIDES.replace("slides/a.png", "slides/Mueller-1950.png").replace("case-1", "Erika-Mueller"),
        regions=REGIONS.replace("slides/a.png", "slides/Mueller-1950.png").replace("r1,", "mueller-cell,"),
        truth="region,label\nmueller-cell,round\n",
        votes="region,annotator,label\nmueller-cell,Dr Mueller,round\n",
    )
    os.rename(folder / "slides" / "a.png", folder / "slides" / "Mueller-1950.png")
    imports.import_folder(folder)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}" AS t WHERE t::text ILIKE %s', ["%mueller%"])
            assert cursor.fetchone() == (0,), table
    assert not [path for path in Path(settings.STORE).rglob("*") if "ueller" in path.name]


def test_importing_again_changes_nothing(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "study")
    imports.import_folder(folder)
    again = imports.import_folder(folder)
    assert not again.is_new_study
    assert (again.slides_new, again.slides_known, again.regions_new) == (0, 2, 0)
    assert (Slide.objects.count(), Region.objects.count(), Job.objects.count()) == (2, 4, 2)


def test_late_slides_join_the_study_and_their_cases_the_audit_sample(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "study", study=TOML.replace("audit_rate = 0.5", "audit_rate = 1.0"))
    imports.import_folder(folder)
    write_png(folder / "slides" / "late.png", seed=9)
    (folder / "slides.csv").write_text(SLIDES + "slides/late.png,case-3,north\n")
    (folder / "regions.csv").write_text(REGIONS + "r9,slides/late.png,0,0,32,32\n")
    found = imports.import_folder(folder)
    assert (found.slides_new, found.slides_known, found.regions_new) == (1, 2, 1)
    assert Case.objects.exclude(audit_half="").count() == 3
    assert Region.objects.exclude(audit_half="").count() == 5


def test_new_regions_of_a_known_slide_are_refused_with_their_line(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "study")
    imports.import_folder(folder)
    (folder / "regions.csv").write_text(REGIONS + "r9,slides/b.png,50,40,32,32\n")
    with pytest.raises(BadInput, match="regions.csv, line 6: .*without the region 'r9'"):
        imports.import_folder(folder)
    assert Region.objects.count() == 4


def test_known_slide_under_another_case_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "study")
    imports.import_folder(folder)
    (folder / "slides.csv").write_text(SLIDES.replace("case-2", "case-1"))
    with pytest.raises(BadInput, match=r"slides.csv, line 3: .*in the study already, under another case"):
        imports.import_folder(folder)


def test_folder_with_other_classes_is_refused_under_a_known_slug(tmp_path: Path) -> None:
    imports.import_folder(write_folder(tmp_path / "study"))
    other = write_folder(tmp_path / "other", study=TOML.replace('"not-evaluable"', '"unclear"'))
    with pytest.raises(BadInput, match="The study 'small-study' has other classes. Import it under another"):
        imports.import_folder(other)


def test_bad_folder_leaves_neither_rows_nor_files(tmp_path: Path, own_store: Path) -> None:
    folder = write_folder(tmp_path / "study", regions=REGIONS + "r9,slides/a.png,500,0,32,32\n")
    with pytest.raises(BadInput, match="1 problem; nothing was imported"):
        imports.import_folder(folder)
    assert not Study.objects.exists() and not own_store.exists()


def test_failure_between_rows_leaves_no_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_folder(tmp_path / "study")
    seen: list[str] = []

    def break_off(stage: str, done: int, total: int) -> None:
        if stage == "rows":
            seen.append(stage)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        imports.import_folder(folder, progress=break_off)
    assert seen and not Study.objects.exists() and not Slide.objects.exists()


def test_dry_run_checks_everything_and_writes_nothing(tmp_path: Path, own_store: Path) -> None:
    imports.import_folder(write_folder(tmp_path / "study"), dry_run=True)
    assert not Study.objects.exists() and not own_store.exists()


def test_slide_that_regions_csv_does_not_name_is_left_out_and_said(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "study", slides=SLIDES + "slides/c.png,case-3,north\n")
    write_png(folder / "slides" / "c.png", seed=3)
    found = imports.import_folder(folder)
    assert found.slides_new == 2
    assert "The slide 'slides/c.png' has no row in regions.csv and is left out." in found.notes


def test_folder_without_regions_leaves_tiling_to_a_job(tmp_path: Path) -> None:
    found = imports.import_folder(write_folder(tmp_path / "study", regions=None, truth=None, votes=None))
    assert (found.slides_new, found.regions_new) == (2, 0)
    assert Job.objects.filter(kind=JobKind.TILE_SLIDE).count() == 2


def test_rows_do_not_depend_on_the_order_of_lines(tmp_path: Path) -> None:
    first = imports.import_folder(write_folder(tmp_path / "one"), slug="one").study
    head, *lines = REGIONS.strip().split("\n")
    shuffled = "\n".join([head, *reversed(lines)]) + "\n"
    second = imports.import_folder(write_folder(tmp_path / "two", regions=shuffled), slug="two").study

    def rows(study: Study | None) -> list[tuple[object, ...]]:
        found = Region.objects.filter(study=study).order_by("pk")
        return list(found.values_list("slide__checksum", "index", "x", "y"))

    assert rows(first) == rows(second)


def test_study_can_be_opened_drained_and_closed_but_not_opened_as_draft_drained(tmp_path: Path) -> None:
    study = imports.import_folder(write_folder(tmp_path / "study")).study
    assert study is not None
    with pytest.raises(Conflict, match="A study that is draft can't become draining."):
        studies.drain(study=study)
    assert studies.open_study(study=study).state == StudyState.RUNNING
    assert studies.drain(study=study).state == StudyState.DRAINING
    assert studies.close(study=study).state == StudyState.CLOSED


def test_policy_change_is_checked_and_none_restores_the_default(tmp_path: Path) -> None:
    study = imports.import_folder(write_folder(tmp_path / "study")).study
    assert study is not None
    assert studies.update_policy(study=study, values={"batch_size": 9}).policy.batch_size == 9
    assert studies.update_policy(study=study, values={"batch_size": None}).policy.batch_size == 60
    with pytest.raises(BadInput, match="unknown policy key 'nonsense'"):
        studies.update_policy(study=study, values={"nonsense": 1})


def test_policy_with_an_unknown_encoder_is_not_stored(tmp_path: Path) -> None:
    study = imports.import_folder(write_folder(tmp_path / "study")).study
    assert study is not None
    with pytest.raises(BadInput, match="must be one of colour-texture, study-cnn, onnx:<file>@<sha256>, not 'magic'"):
        studies.update_policy(study=study, values={"encoder": "magic"})


def test_one_slide_can_be_registered_twice_and_exists_once(tmp_path: Path) -> None:
    study = imports.import_folder(write_folder(tmp_path / "study")).study
    assert study is not None
    write_png(tmp_path / "late.png", seed=5)
    first = slides.register(study=study, path=tmp_path / "late.png", case="case-1", domain={"lab": "north"})
    second = slides.register(study=study, path=tmp_path / "late.png", case="case-1", domain={"lab": "north"})
    assert first == second and Slide.objects.count() == 3
    with pytest.raises(BadInput, match="under another case"):
        slides.register(study=study, path=tmp_path / "late.png", case="case-9", domain={"lab": "north"})
    with pytest.raises(BadInput, match="a value for each of its domain columns: lab"):
        slides.register(study=study, path=tmp_path / "late.png", case="case-1", domain={})


def test_audit_sample_follows_rate_and_seed_and_splits_in_halves() -> None:
    codes = [f"{number:020x}" for number in range(4000)]
    halves = [audit.half_of(seed=7, case_code=code, rate=0.25) for code in codes]
    assert halves == [audit.half_of(seed=7, case_code=code, rate=0.25) for code in codes]
    assert 0.22 < 1 - halves.count(AuditHalf.NONE) / 4000 < 0.28
    assert 420 < halves.count(AuditHalf.GATE) < 580
    assert halves != [audit.half_of(seed=8, case_code=code, rate=0.25) for code in codes]
    wider = [audit.half_of(seed=7, case_code=code, rate=0.5) for code in codes]
    assert all(wide == half for half, wide in zip(halves, wider, strict=True) if half)


def test_network_import_stays_below_its_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONCORD_IMPORT_ROOT", raising=False)
    with pytest.raises(Refused, match="set CONCORD_IMPORT_ROOT"):
        imports.allowed_folder("study")
    monkeypatch.setenv("CONCORD_IMPORT_ROOT", str(tmp_path))
    assert imports.allowed_folder("study") == tmp_path.resolve() / "study"
    (tmp_path / "link").symlink_to("/")
    for name in ("..", "/etc", "link/etc", "", "../" + tmp_path.name + "x"):
        with pytest.raises(Refused, match="below the server's import folder"):
            imports.allowed_folder(name)


@pytest.mark.parametrize("slug", ["My study!", "q" * 61, "-/-"])
def test_short_name_that_no_address_can_hold_is_refused(tmp_path: Path, slug: str) -> None:
    with pytest.raises(BadInput, match="is no short name for a study. Use at most 60 letters"):
        imports.import_folder(write_folder(tmp_path / "study"), slug=slug)
    assert not Study.objects.exists()


def test_command_says_what_it_brought_and_lists_problems(tmp_path: Path) -> None:
    out, told = StringIO(), StringIO()
    folder = write_folder(tmp_path / "study")
    call_command("import_study", str(folder), "--slug", "mine", "--open", stdout=out, stderr=told)
    assert "Study 'mine' (new): 2 new slides, 0 known, 4 regions, 4 known truths, 3 votes" in out.getvalue()
    assert "slides: 2 of 2" in told.getvalue()
    assert Study.objects.get(slug="mine").state == StudyState.RUNNING
    (folder / "regions.csv").write_text(REGIONS + "r1,slides/a.png,1,1,32,32\n")
    with pytest.raises(CommandError, match="regions.csv, line 6: The id 'r1' is already on line 2"):
        call_command("import_study", str(folder), "--slug", "other", stdout=out, stderr=told)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_two_hundred_thousand_regions_are_imported_in_two_minutes(tmp_path: Path) -> None:
    rows = ["id,slide,x,y,width,height\n"]
    for slide in ("a", "b"):
        rows += [f"{slide}{n},slides/{slide}.png,{n % 400},{n // 400},8,8\n" for n in range(100_000)]
    truth = "region,label\n" + "".join(f"{row.split(',')[0]},round\n" for row in rows[1:])
    folder = write_folder(tmp_path / "study", regions="".join(rows), truth=truth, votes=None)
    for number, name in enumerate("ab"):
        write_png(folder / "slides" / f"{name}.png", seed=number + 20, width=500, height=500)
    started = time.monotonic()
    found = imports.import_folder(folder)
    assert found.regions_new == found.truth_new == 200_000
    assert time.monotonic() - started < 120
