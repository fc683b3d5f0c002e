"""The notice about a domain that the active model has never seen, on home and dashboard."""

import pytest
from django.utils import timezone

from annotation.models import Domain, ModelVersion, Slide, TrainingSet
from annotation.policy import Policy
from annotation.selectors import unseen
from annotation.selectors.dashboard import Board, Filters, Reading, domains, find, kept, show
from annotation.services import modelling
from annotation.states import ModelState, Role, SlideState, StudyState
from tests import factories

pytestmark = pytest.mark.django_db
POLICY = {"batch_size": 60, "audit_share": 0.2, "random_share": 0.1}


@pytest.fixture(autouse=True)
def nothing_kept():
    kept.counts.forget()


@pytest.fixture
def study():
    return factories.study(policy=POLICY)


def add_slide(study, domain, *, regions=100, **fields):
    row = Domain.objects.get_or_create(study=study, name=domain, defaults={"values": {"lab": domain}})[0]
    return factories.slide(study, domain=row, region_count=regions, **fields)


def add_model(study, *, number=1, state=ModelState.ACTIVE, **numbers):
    made = TrainingSet.objects.create(
        study=study, digest=str(number), revision_ids=[], protocol=study.protocol, created_at=timezone.now()
    )
    return ModelVersion.objects.create(
        study=study, number=number, digest=str(number), state=state, training_set=made, configuration_digest="c",
        encoder="colour-texture", encoder_digest="e", class_codes=["a", "b"], numbers=numbers,
        created_at=timezone.now(), activated_at=timezone.now(),
    )  # fmt: skip


def read_actions(study):
    kept.counts.forget()
    rows = show(find("summary"), Board(Reading(study), Filters())).content.table("actions").rows
    return {what: (how, target) for what, how, target in rows}


def open_home(client, study):
    client.force_login(factories.member(study, Role.MANAGER).user)
    return client.get("/admin/").content.decode()


def test_slides_of_an_unseen_domain_are_told_as_soon_as_they_are_cut(client, study):
    add_slide(study, "north", regions=900)
    add_model(study, trained_on={"north": 40})
    late = add_slide(study, "valley", state=SlideState.REGISTERED, regions=0)
    assert unseen.find([study.pk]) == {} and "never seen" not in open_home(client, study)
    Slide.objects.filter(pk=late.pk).update(state=SlideState.TILED, region_count=100)
    said = "Model 1 has never seen valley: 1 slide with 100 regions."
    # 48 regions are left beside the audit sample, 43 beside the random share, of which a tenth is 4.3.
    promised = "Its quota of the next batches is at least 5 regions each"
    how, target = read_actions(study)[said]
    assert promised in how and target == "#domains"
    text = open_home(client, study)
    assert said in text and promised in text


def test_seen_domains_audit_slides_and_studies_without_a_model_are_not_told(study):
    add_slide(study, "north")
    assert unseen.find([study.pk]) == {}
    add_model(study, trained_on={"north": 40})
    add_slide(study, "south", case=factories.case(study, "held", audit_half="gate"))
    other = factories.study()
    add_slide(other, "valley")
    assert unseen.find([study.pk, other.pk]) == {}


def test_any_number_of_studies_costs_one_query(study, django_assert_num_queries):
    studies = [study, factories.study(), factories.study()]
    for place, one in enumerate(studies):
        add_model(one, trained_on={})
        add_slide(one, f"<b>lab-{place}</b>")
    with django_assert_num_queries(1):
        found = unseen.find([one.pk for one in studies])
    assert [found[one.pk][0].domain for one in studies] == [f"<b>lab-{place}</b>" for place in range(3)]


def test_annotators_are_told_nothing(client, study):
    add_slide(study, "valley")
    add_model(study, trained_on={})
    client.force_login(factories.member(study).user)
    assert "never seen" not in client.get("/admin/").content.decode()


def test_the_promise_is_a_share_rounded_up_and_none_where_chance_draws():
    policy = Policy.parse(POLICY)
    assert [unseen.promise(policy, regions=count, of=1000) for count in (1, 23, 24, 500, 1000)] == [1, 1, 2, 22, 43]
    assert unseen.promise(Policy.parse({**POLICY, "selection": "random"}), regions=5, of=10) == 0
    assert unseen.promise(policy, regions=0, of=0) == 0


def test_a_study_that_does_not_run_says_that_no_batch_is_drawn(study):
    add_slide(study, "valley")
    add_model(study, trained_on={})
    study.state = StudyState.CLOSED
    study.save()
    [(how, _)] = [one for what, one in read_actions(study).items() if "valley" in what]
    assert "No batch is drawn while the study is closed" in how


def test_a_model_of_an_older_program_is_told_of_after_the_first_look(study):
    add_slide(study, "north")
    add_slide(study, "valley")
    model = add_model(study)
    assert unseen.find([study.pk]) == {}
    found = {"north": {**FOUND, "trained": 40}, "valley": {**FOUND, "trained": 0}}
    modelling.record_domains(model=model, slides=2, found=found)
    assert [one.domain for one in unseen.find([study.pk])[study.pk]] == ["valley"]


APART = {"value": 0.93, "usual": 0.71, "p": 0.005, "cases": 9, "known_cases": 12}
SHIFT = {"value": 0.3, "usual": 0.12, "p": 0.01, "low": 0.2, "high": 0.42, "cases": 9, "known_cases": 12}
FOUND = {
    "verdict": "unlike", "cases": 9, "learned_cases": 2, "regions": 300, "trained": 4, "nearest": "north",
    "apart": APART, "classes": SHIFT, "stability_index": 0.4,
    "disagreement": {**SHIFT, "value": 0.05}, "usual_level": 0.1,
}  # fmt: skip
QUIET = {**FOUND, "verdict": "alike", "apart": {**APART, "value": 0.6, "p": 0.4}, "classes": None, "disagreement": None}
FEW = {**QUIET, "verdict": "few", "apart": None, "learned_cases": 3, "nearest": ""}


def read_panel(study, **filters):
    kept.counts.forget()
    shown = show(find("domains"), Board(Reading(study), Filters(**filters)))
    table = shown.content.table("domains")
    names = [column.name for column in table.columns] if table else []
    rows = {row[0]: dict(zip(names, row, strict=True)) for row in (table.rows if table else [])}
    return rows, shown.content


def test_the_panel_says_what_to_wait_for_where_there_is_nothing_to_show(study):
    assert "no slides yet" in read_panel(study)[1].empty
    add_slide(study, "north")
    assert "No model is active yet" in read_panel(study)[1].empty
    add_model(study, trained_on={"north": 40})
    rows, content = read_panel(study)
    assert rows["north"]["verdict"].startswith("Not looked at yet")
    assert "once model 1 has scored every slide" in content.notes[0]


def test_the_panel_gives_each_verdict_as_a_sentence_with_its_number_and_since_when(study):
    for name in ("far", "near", "new", "rare"):
        add_slide(study, name)
    gate = {"basis": "audit", "domains": {"far": {"items": 30, "cases": 4, "right": 0.6, "low": 0.5, "high": 0.7}}}
    trained = {"far": 4, "near": 40, "rare": 9}
    add_model(study, number=1, state=ModelState.RETIRED, domains={"slides": 4, "found": {"far": QUIET, "near": QUIET}})
    add_model(study, number=2, state=ModelState.RETIRED, domains={"slides": 4, "found": {"far": FOUND, "near": QUIET}})
    add_model(study, number=3, state=ModelState.REJECTED)
    ModelVersion.objects.filter(number=3).update(activated_at=None)
    found = {"far": FOUND, "near": QUIET, "new": {**FOUND, "trained": 0}, "rare": FEW}
    add_model(study, number=4, trained_on=trained, gate=gate, domains={"slides": 4, "found": found})
    rows, content = read_panel(study)
    far, near, new, rare = (rows[name] for name in ("far", "near", "new", "rare"))
    assert "Unlike what is known: a classifier tells 9 of its cases from 12 of north" in far["verdict"]
    assert "AUC 0.93" in far["verdict"] and "under 0.71" in far["verdict"] and "other classes here" in far["verdict"]
    assert "Its members agree less than elsewhere." in far["verdict"]
    assert (far["since"], near["since"], new["since"]) == (2, 1, 4)
    assert (far["right"], far["right_low"], far["right_high"], near["right"]) == (0.6, 0.5, 0.7, None)
    assert (far["shifted"], far["shifted_low"], far["psi"], far["disagreement"]) == (0.3, 0.2, 0.4, 1.5)
    assert near["verdict"].startswith("Like what is known") and "but so do splits by chance" in near["verdict"]
    assert new["verdict"].startswith("Never seen by model 4.") and "never seen new" in content.notes[0]
    assert rare["verdict"].startswith("Too few cases to tell: it has learned from 3 of its 9 cases")
    assert (rare["auc"], rare["shifted"], rare["disagreement"]) == (None, None, None)
    assert list(read_panel(study, domain="near")[0]) == ["near"]
    whats = read_actions(study)
    assert any("Slides of far look unlike all that model 4 has learned from: AUC 0.93" in what for what in whats)
    # The unseen one is told once, as unseen.
    assert sum("new" in what for what in whats) == 1


def test_what_a_look_found_takes_the_place_of_the_look_before(study):
    add_slide(study, "north")
    model = add_model(study, trained_on={"north": 40}, gate={"basis": "audit"})
    for slides, verdict in ((1, QUIET), (2, FOUND)):
        modelling.record_domains(model=model, slides=slides, found={"north": verdict})
    model.refresh_from_db()
    assert model.numbers["trained_on"] == {"north": 40} and model.numbers["gate"] == {"basis": "audit"}
    assert model.numbers["domains"]["slides"] == 2
    watched = domains.read(Board(Reading(study), Filters()))
    assert watched is not None and watched.found["north"]["verdict"] == "unlike"
