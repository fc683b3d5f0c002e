from dataclasses import fields

import pytest
from django.contrib.auth import authenticate
from django.db import connection

from annotation import checklist, policy_words, store
from annotation.errors import BadInput, Conflict, Missing
from annotation.models import Job, LabelClass, LedgerEntry, Membership, Slide, StagedSlide, Study
from annotation.policy import Policy
from annotation.releasing.datasheet import planning as planned_page
from annotation.selectors import planning, tilings
from annotation.selectors import setup as reads
from annotation.services import members, setup, staging, studies
from annotation.states import JobKind, Role, SlideState, StudyState
from annotation.studyfolder import read_text, write_definition
from tests.annotation import planned
from workers import base

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_store(settings, tmp_path):
    settings.STORE = tmp_path / "store"


def lacking(study: Study) -> dict[str, list[str]]:
    study = Study.objects.get(pk=study.pk)
    return {step.id: step.missing for step in reads.steps(study) if step.missing}


def test_new_draft_says_what_each_step_lacks_and_cannot_be_launched():
    study = planned.begin().study
    assert study.state == StudyState.DRAFT and study.protocol is None
    assert set(lacking(study)) == {"slides", "classes", "members", "checklist"}
    with pytest.raises(Conflict, match="no slide yet") as caught:
        setup.launch(study=study)
    assert len(caught.value.details["missing"]) == 3 + len(checklist.missing({}))
    assert not LedgerEntry.objects.filter(study=study).exists()


def test_whole_set_up_ends_in_a_running_study_whose_slides_are_cut_as_the_preview_said():
    study = planned.begin().study
    planned.fill(study)
    assert lacking(study) == {}
    rows = list(StagedSlide.objects.filter(study=study).order_by("checksum"))
    study.refresh_from_db()
    expected = [len(tilings.cut(row, edge_px=32, min_tissue=study.policy.tile_min_tissue)) for row in rows]
    assert planning.plan(study)["regions"] == sum(expected) == 80
    setup.launch(study=study)
    study.refresh_from_db()
    assert study.state == StudyState.RUNNING and study.current_protocol.codes == ("round", "long", "unclear")
    assert not StagedSlide.objects.filter(study=study).exists()
    assert Job.objects.filter(study=study, kind=JobKind.TILE_SLIDE).count() == 2
    base.run_ready(study)
    slides = list(Slide.objects.filter(study=study).order_by("checksum"))
    assert [slide.state for slide in slides] == [SlideState.TILED] * 2
    assert [slide.region_count for slide in slides] == expected
    assert {slide.domain.name for slide in slides} == {"north", "south"}


def test_launch_is_refused_while_one_slide_lacks_its_domain_and_nothing_enters():
    study = planned.begin().study
    planned.fill(study)
    staging.describe(slide=StagedSlide.objects.select_related("study").first(), domain={"lab": ""})
    with pytest.raises(Conflict, match="has no value for 'lab'"):
        setup.launch(study=study)
    study.refresh_from_db()
    assert study.protocol is None and not Slide.objects.filter(study=study).exists()


def test_definition_goes_out_and_comes_in_again_unchanged():
    study = planned.begin().study
    planned.fill(study)
    setup.save_classes(
        study=study,
        classes=[{**planned.CLASSES[0], "name": 'A "quoted" \\ name\x7f'}, *planned.CLASSES[1:]],
        guideline='First line.\n\n  """Second""" \\ line\twith a tab.\r\nThird',
    )
    setup.save_region(study=study, edge=64, um_per_px=0.2)
    studies.update_policy(study=study, values={"min_overlap": 1, "lease_minutes": 12.0, "show_suggestions": True})
    study.refresh_from_db()
    said = {
        "licence": "CC-BY-4.0",
        "citation": 'A "set",\n2026.',
        "creators": "A; B",
        "address": "https://example.org/x",
    }
    setup.save_publication(study=study, said=said)
    study.refresh_from_db()
    text = write_definition(reads.definition(study))
    other = planned.begin(definition=text, slug="again").study
    assert reads.definition(other) == reads.definition(study) == read_text(text)
    assert write_definition(reads.definition(other)) == text
    assert "ada" not in text and "slide-0" not in text and "case-0" not in text
    assert not Membership.objects.filter(study=other).exclude(role=Role.MANAGER).exists()


def test_broken_definition_is_refused_with_its_lines_and_begins_nothing():
    text = 'name = "x"\ndomains = "lab"\n[policy]\nmin_overlap = 9\n[checklist]\nhow = "so"\n'
    with pytest.raises(BadInput) as caught:
        planned.begin(definition=text)
    said = "\n".join(caught.value.details["problems"])
    assert "line 2" in said and "'max_overlap'" in said and "Unknown key 'how'" in said and "two classes" in said
    assert not Study.objects.exists()


def test_taken_and_reserved_short_names_are_refused():
    planned.begin()
    with pytest.raises(Conflict, match="already"):
        planned.begin()
    with pytest.raises(BadInput, match="address of this site"):
        planned.begin(slug="new")


def test_nothing_is_staged_twice_and_what_is_no_slide_is_named():
    study = planned.begin().study
    planned.send(study, seed=1)
    with pytest.raises(Conflict, match="same content as 'slide-1.png'"):
        planned.send(study, seed=1, name="other.png")
    with pytest.raises(Conflict, match="Another slide is called"):
        planned.send(study, seed=2, name="slide-1.png")
    with pytest.raises(BadInput, match="'notes.png' can't be used"):
        import io

        staging.stage_upload(study=study, stream=io.BytesIO(b"no picture"), name="notes.png", size=10)
    assert [row.name for row in reads.staged(study)] == ["slide-1.png"]
    assert not list((store.root() / store.ARRIVALS).iterdir())


def test_upload_beyond_the_limit_is_refused_before_and_while_it_comes(settings):
    import io

    settings.UPLOAD_MOST_BYTES = 100
    study = planned.begin().study
    for size in (200, 0):
        with pytest.raises(BadInput, match="at most 100 bytes|larger than 100 bytes"):
            staging.stage_upload(study=study, stream=io.BytesIO(planned.picture(0)), name="a.png", size=size)
    assert not list((store.root() / store.ARRIVALS).glob("*"))


def test_removed_slide_leaves_no_file_unless_another_study_needs_it(django_capture_on_commit_callbacks):
    first, second = planned.begin().study, planned.begin(slug="second").study
    rows = [planned.send(study, seed=3) for study in (first, second)]
    path = store.root() / rows[0].stored_name
    for row, is_there in zip(rows, (True, False), strict=True):
        with django_capture_on_commit_callbacks(execute=True):
            staging.remove(slide=row)
        assert path.exists() == is_there


def test_table_describes_slides_by_name_and_tells_every_problem_at_once():
    study = planned.begin().study
    setup.save_domains(study=study, domains=["lab"], renamed={})
    study.refresh_from_db()
    for seed in (1, 2):
        planned.send(study, seed=seed)
    with pytest.raises(BadInput) as caught:
        staging.describe_table(study=study, text="path,case,lab,age\nslide-1.png,c,n,3\ngone.png,c,n,4\n")
    said = "\n".join(caught.value.details["problems"])
    assert "no domain column 'age'" in said and "slides.csv, line 3" in said and "'gone.png'" in said
    assert not reads.staged(study).exclude(case="").exists()
    text = "path,case,lab\nslides/slide-1.png,one,north\nslide-2.png,two,\n"
    assert staging.describe_table(study=study, text=text) == 2
    found = list(reads.staged(study).values_list("case", "domain"))
    assert found == [("one", {"lab": "north"}), ("two", {"lab": ""})]


def test_renamed_column_keeps_its_values_and_a_dropped_one_loses_them():
    study = planned.begin().study
    setup.save_domains(study=study, domains=["lab", "stain"], renamed={})
    study.refresh_from_db()
    staging.describe(slide=planned.send(study, seed=1), domain={"lab": "north", "stain": "HE"})
    setup.save_domains(study=study, domains=["site"], renamed={"lab": "site"})
    assert reads.staged(study).get().domain == {"site": "north"}
    with pytest.raises(BadInput, match="column names"):
        setup.save_domains(study=study, domains=["case"], renamed={})


def test_after_the_launch_only_policy_members_and_checklist_change():
    study = planned.begin().study
    planned.fill(study)
    setup.launch(study=study)
    study.refresh_from_db()
    fixed = {step.id: step.fixed for step in reads.steps(study)}
    assert all(fixed[step] for step in ("basics", "domains", "classes", "region"))
    assert not any(fixed[step] for step in ("slides", "policy", "members", "checklist"))
    for save in (
        lambda: setup.save_name(study=study, name="Other"),
        lambda: setup.save_domains(study=study, domains=[], renamed={}),
        lambda: setup.save_classes(study=study, classes=[], guideline=""),
        lambda: setup.save_region(study=study, edge=64, um_per_px=None),
    ):
        with pytest.raises(Conflict):
            save()
    setup.save_checklist(study=study, answers={"upkeep": "The lab."})
    studies.update_policy(study=study, values={"max_overlap": 7})
    row = planned.send(study, seed=9)
    staging.describe(slide=row, case="case-9", domain={"lab": "east"})
    assert setup.enter(study=study) == 1
    assert Slide.objects.filter(study=study).count() == 3 and LabelClass.objects.count() == 3


def test_draft_lets_no_slide_in_before_the_launch():
    study = planned.begin().study
    planned.fill(study)
    with pytest.raises(Conflict, match="when the study is launched"):
        setup.enter(study=study)


def test_new_account_gets_a_password_that_works_and_no_way_into_the_rows():
    study = planned.begin().study
    member, password = members.open_account(study=study, username="carla", role=Role.ANNOTATOR)
    assert authenticate(username="carla", password=password) == member.user
    assert not member.user.is_staff and not member.user.is_superuser
    with pytest.raises(Conflict, match="account 'carla' already"):
        members.open_account(study=study, username="carla", role=Role.ANNOTATOR)
    with pytest.raises(BadInput, match="no user name"):
        members.open_account(study=study, username="<b>", role=Role.ANNOTATOR)
    with pytest.raises(BadInput, match="whoever runs the site"):
        members.open_account(study=study, username="dora", role=Role.MANAGER)


def test_account_is_found_under_any_spelling_of_the_same_letters():
    study = planned.begin().study
    made, _ = members.open_account(study=study, username="\ufb01nn", role=Role.ANNOTATOR)
    assert made.user.get_username() == "finn"
    assert members.has_account("\ufb01nn")
    assert members.join(study=study, username="\ufb01nn", role=Role.ANNOTATOR) == made
    with pytest.raises(BadInput, match="no user name"):
        members.open_account(study=study, username="\ufdfa" * 140, role=Role.ANNOTATOR)


def test_people_join_by_name_and_the_last_manager_stays():
    manager = planned.begin()
    study = manager.study
    with pytest.raises(Missing, match="no account 'erik'"):
        members.join(study=study, username="erik", role=Role.ANNOTATOR)
    members.open_account(study=planned.begin(slug="other").study, username="erik", role=Role.ANNOTATOR)
    erik = members.join(study=study, username="erik", role=Role.MANAGER)
    with pytest.raises(Conflict, match="is manager in this study already"):
        members.join(study=study, username="erik", role=Role.ANNOTATOR)
    assert members.change(member=erik, is_trained=True).is_trained
    members.leave(member=manager)
    for attempt in (lambda: members.leave(member=erik), lambda: members.change(member=erik, role=Role.ANNOTATOR)):
        with pytest.raises(Conflict, match="last manager"):
            attempt()


def test_dry_run_counts_answers_hours_and_coverage():
    study = planned.begin().study
    planned.fill(study)
    studies.update_policy(study=study, values={"gold_rate": 0.1, "fixed_overlap": 2})
    study.refresh_from_db()
    plan = planning.plan(study)
    assert plan["answers"] == [176, 176] and plan["hours"] == [0.3, 0.3] and plan["people"] == 2
    assert plan["regions_counted"] and plan["cases"] == 2
    assert [(row["values"], row["slides"], row["regions"]) for row in plan["coverage"]] == [
        (["north"], 1, 40),
        (["south"], 1, 40),
    ]
    assert plan["classes"][1]["quota"] == 3 and plan["classes"][1]["share"] == 0.0375
    assert any("whether they agree or not" in sentence for sentence in plan["consequences"])


def test_many_slides_are_reckoned_from_some_with_a_bounded_number_of_queries(django_assert_max_num_queries):
    study = planned.begin().study
    row = planned.send(study, seed=1)
    setup.save_region(study=study, edge=32, um_per_px=None)
    values = {
        field.attname: getattr(row, field.attname) for field in StagedSlide._meta.concrete_fields if field.name != "id"
    }
    StagedSlide.objects.bulk_create(
        StagedSlide(**{**values, "name": f"copy-{n}", "checksum": f"{n:064}", "public_id": f"copy{n}"})
        for n in range(99)
    )
    study.refresh_from_db()
    with django_assert_max_num_queries(10 + tilings.COUNTED):
        plan = planning.plan(study)
    assert plan["regions"] == 4000 and not plan["regions_counted"]


def test_steps_take_a_fixed_number_of_queries(django_assert_num_queries):
    study = planned.begin().study
    planned.fill(study, slides=3)
    study.refresh_from_db()
    with django_assert_num_queries(6):
        reads.steps(study)


def test_names_of_files_and_cases_are_gone_after_the_launch():
    study = planned.begin().study
    planned.fill(study, slides=1)
    row = planned.send(study, seed=7, name="Q7canary-file.png")
    staging.describe(slide=row, case="Q7canary-case", domain={"lab": "north"})
    setup.launch(study=study)
    base.run_ready(study)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', ["%Q7canary%"])
            assert cursor.fetchone()[0] == 0, table
    assert not [path for path in store.root().rglob("*") if "Q7canary" in path.name]


def test_checklist_stands_in_the_datasheet_as_the_pass_has_pinned_it():
    study = planned.begin().study
    setup.save_checklist(study=study, answers={"purpose": "To tell <b>cells</b> apart.\nNothing else."})
    study.refresh_from_db()
    text = planned_page.planned(study.checklist)
    assert "What is the data set for" in text and "> To tell \\<b\\>cells\\</b\\> apart.\n> Nothing else." in text
    assert planned_page.planned({}) == ""


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"licence": "mine"}, "'mine' is no licence"),
        ({"licence": "other: "}, "no licence"),
        ({"address": "javascript:alert(1)"}, "no address of the web"),
        ({"address": "https://"}, "no address of the web"),
        ({"address": "http://[bad"}, "no address of the web"),
        ({"keywords": "x" * 501}, "at most 500"),
        ({"citation": "a\x00b"}, "NUL"),
    ],
)
def test_publication_that_does_not_hold_is_refused_and_nothing_of_it_stored(said, why):
    study = planned.begin().study
    with pytest.raises(BadInput, match=why):
        setup.save_publication(study=study, said={"creators": "A", **said})
    study.refresh_from_db()
    assert study.publication == {}


def test_publication_is_said_field_by_field_and_taken_back():
    study = planned.begin().study
    assert any("licence" in note for step in reads.steps(study) if step.id == "publication" for note in step.notes)
    for said in ({"licence": "other: on request"}, {"creators": " A ; B "}, {"keywords": "blood"}, {"keywords": ""}):
        study = setup.save_publication(study=study, said=said)
    study.refresh_from_db()
    assert study.publication == {"licence": "other: on request", "creators": "A ; B"}
    assert not [step for step in reads.steps(study) if step.id == "publication" and (step.notes or step.missing)]


def test_every_value_of_the_policy_has_words():
    described = policy_words.described()
    assert {one["key"] for one in described} == {field.name for field in fields(Policy)}
    unnamed = [one["key"] for one in described if one["key"] not in policy_words.MAIN | policy_words.ADVANCED]
    assert not unnamed, f"Say in annotation/policy_words.py what these mean: {unnamed}"


def test_page_and_dry_run_take_a_fixed_number_of_queries(client, django_assert_num_queries):
    member = planned.begin()
    planned.fill(member.study, slides=3)
    client.force_login(member.user)
    base_url = f"/api/studies/{member.study.slug}/setup/"
    client.get(f"{base_url}plan/")
    with django_assert_num_queries(20):
        assert client.get(f"/admin/studies/{member.study.slug}/setup/").status_code == 200
    with django_assert_num_queries(9):
        assert client.get(f"{base_url}plan/").json()["slides"] == 3
