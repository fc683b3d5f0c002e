"""The pages of passes and releases, as the server makes them: who gets them, at which price."""

import pytest

from annotation.models import ConsistencyPass
from annotation.services import releases
from annotation.states import PassState, Role
from tests import factories
from tests.annotation.api.scene import add_pass, finish
from tests.annotation.consistency_studies import decided, run_pass

pytestmark = pytest.mark.django_db

PAGES = ("passes/", "passes/1/", "releases/", "releases/1/")


@pytest.fixture
def released(settings, tmp_path):
    settings.STORE = tmp_path / "store"
    study, manager = decided(regions=6, slides=2)
    releases.freeze(study=study, consistency_pass=run_pass(study, manager), member=manager)
    return study, manager


@pytest.mark.parametrize("screen", PAGES)
def test_pages_are_for_managers_and_404_to_everybody_else(client, released, screen):
    study, manager = released
    url = f"/admin/studies/{study.slug}/{screen}"
    assert client.get(url).status_code == 302
    strange = factories.member(factories.study(), Role.MANAGER)
    for person in (factories.member(study), factories.member(study, Role.ADJUDICATOR), strange):
        client.force_login(person.user)
        assert client.get(url).status_code == 404
    client.force_login(manager.user)
    assert client.get(url).status_code == 200
    if screen.endswith("/1/"):
        assert client.get(url.removesuffix("1/") + "9/").status_code == 404


@pytest.mark.parametrize(("screen", "queries"), list(zip(PAGES, (10, 10, 9, 9), strict=True)))
def test_a_page_costs_the_same_queries_whatever_there_is(client, released, screen, queries, django_assert_num_queries):
    study, manager = released
    client.force_login(manager.user)
    for _ in range(2):
        with django_assert_num_queries(queries):
            client.get(f"/admin/studies/{study.slug}/{screen}")
        for _ in range(3):
            finish(add_pass(study))


def test_lists_are_leafed_through(client, released):
    study, manager = released
    client.force_login(manager.user)
    for _ in range(30):
        finish(add_pass(study))
    url = f"/admin/studies/{study.slug}/passes/"
    first = client.get(url)
    assert [row.number for row in first.context["rows"]] == list(range(31, 6, -1))
    assert "?before=7" in first.content.decode()
    assert [row.number for row in client.get(f"{url}?before=7").context["rows"]] == list(range(6, 0, -1))
    assert client.get(f"{url}?before=x%00").status_code == 200


def test_the_newest_finished_pass_is_previewed_unless_another_is_asked_for(client, released):
    study, manager = released
    client.force_login(manager.user)
    finish(add_pass(study))
    add_pass(study)
    assert ConsistencyPass.objects.filter(study=study, state=PassState.RUNNING).count() == 1
    url = f"/admin/studies/{study.slug}/releases/"
    assert client.get(url).context["chosen"] == 2
    assert client.get(f"{url}?pass=1").context["chosen"] == 1
    assert client.get(f"{url}?pass=3").context["chosen"] == 2
