import pytest
from django.contrib.auth.models import Permission, User

from annotation.models import LabelClass, Region
from annotation.selectors import home
from annotation.services import findings, queue, releases
from annotation.states import RegionState, Role, StudyState
from tests import factories
from tests.annotation.consistency_studies import answer_all, decided, run_pass

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(settings, tmp_path):
    settings.STORE = tmp_path / "store"


def open_home(client, user) -> str:
    client.force_login(user)
    return client.get("/admin/").content.decode()


def test_who_is_in_no_study_is_told_what_to_do(client):
    person = factories.UserFactory()
    text = open_home(client, person)
    assert "You are in no study yet. Ask a manager" in text and "set up a study" not in text
    person.user_permissions.add(Permission.objects.get(codename="add_study"))
    assert "set up a study" in open_home(client, User.objects.get(pk=person.pk))


def test_an_annotator_finds_the_own_work_and_nothing_of_others(client):
    study = factories.study()
    one, other = factories.member(study), factories.member(study)
    for _ in range(3):
        factories.pick(factories.region(factories.slide(study), truth="monocyte"))
    before = open_home(client, one.user)
    assert "Start labelling" in before and "0 answers given today." in before and "Rows" not in before
    answer_all(other)
    assert open_home(client, one.user).split("<ul class=")[1:] == before.split("<ul class=")[1:]
    queue.claim(member=one)
    assert "Continue labelling" in open_home(client, one.user)


@pytest.mark.parametrize(("state", "said"), [("draft", "It is not open yet"), ("closed", "no work is handed out")])
def test_an_annotator_is_told_why_there_is_nothing_to_do(client, state, said):
    member = factories.member(factories.study(state=StudyState(state)))
    assert said in open_home(client, member.user)


def test_an_adjudicator_is_sent_to_what_waits(client):
    study = factories.study()
    member = factories.member(study, Role.ADJUDICATOR)
    Region.objects.filter(pk=factories.region(factories.slide(study)).pk).update(state=RegionState.ADJUDICATION)
    text = open_home(client, member.user)
    assert "1 region waiting for an adjudicator." in text and f"/studies/{study.slug}/adjudicate/" in text


def test_a_manager_is_led_from_set_up_to_release(client, store):
    empty = factories.study()
    assert "Go on with the set-up" in open_home(client, factories.member(empty, Role.MANAGER).user)
    study, manager = decided(regions=6, slides=2)
    study.slides.update(region_count=12_345)
    text = open_home(client, manager.user)
    assert "6 of 24,690 regions settled" in text and 'max="24690"' in text
    study.slides.update(region_count=3)
    text = open_home(client, manager.user)
    assert "6 of 6 regions settled" in text and "Run a consistency pass" in text
    LabelClass.objects.filter(protocol=study.protocol, code="monocyte").update(quota=9)
    row = run_pass(study, manager)
    text = open_home(client, manager.user)
    assert "Decide 1 blocker of pass 1" in text and f"/studies/{study.slug}/passes/1/?blocks=true" in text
    findings.waive(finding=row.findings.get(), member=manager, reason="Rare.")
    assert "Preview a release of pass 1" in open_home(client, manager.user)
    releases.freeze(study=study, consistency_pass=row, member=manager)
    assert "Release 1 is the newest." in open_home(client, manager.user)


def test_any_number_of_studies_costs_the_same_queries(django_assert_num_queries):
    person = factories.UserFactory()
    for number in range(3):
        for role in Role:
            study = factories.study(name=f"<b>{number}</b>")
            study.memberships.create(user=person, role=role)
        with django_assert_num_queries(9):
            assert len(home.desks(person)) == 3 * (number + 1)


def test_names_with_markup_stay_text(client):
    study = factories.study(name='<script>alert("x")</script>')
    text = open_home(client, factories.member(study).user)
    assert "<script>alert" not in text and "&lt;script&gt;alert" in text
