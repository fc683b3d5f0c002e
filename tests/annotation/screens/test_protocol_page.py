"""The page of versions asks the database as little whatever the number of versions, and is for managers alone."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.models import Protocol
from annotation.states import Role
from tests import factories
from tests.annotation.protocol_changes import SPLIT, change, draft, manager, study

pytestmark = pytest.mark.django_db


def _cost(client, row) -> int:
    with CaptureQueriesContext(connection) as asked:
        response = client.get(f"/admin/studies/{row.slug}/protocol/")
    assert response.status_code == 200
    return len(asked)


def test_the_page_costs_the_same_for_one_version_as_for_four(client) -> None:
    row = study(("a", "b"))
    client.force_login(manager(row).user)
    _cost(client, row)
    one = _cost(client, row)
    for number in range(3):
        row = change(row, ("a", "b", *(f"new{place}" for place in range(number + 1))), {})
    draft(row, (*row.current_protocol.codes, "b2"), {"b": (SPLIT, "b", "b2")})
    assert Protocol.objects.filter(study=row).count() == 5
    assert _cost(client, row) == one


@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.ADJUDICATOR])
def test_the_page_does_not_exist_for_others(client, role) -> None:
    row = study(("a", "b"))
    client.force_login(factories.member(row, role).user)
    assert client.get(f"/admin/studies/{row.slug}/protocol/").status_code == 404
